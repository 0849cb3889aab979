"""A plugin of each kind is made, installed, listed, used for a few steps, and passes its tests."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from genkit import backend
from genkit.scaffold import KINDS, write_plugin
from tests.scaffold.environments import Environment

NAME = "my-shapes"
LISTED = {
    "generator": {"models": [NAME]},
    "recommender": {
        "models": [NAME],
        "datasets": [f"{NAME}-likes"],
        "commands": ["recommend"],
    },
    "dataset": {"datasets": [NAME]},
    "trainer": {"trainers": [NAME]},
    "metric": {"metrics": [NAME]},
}
QUICK = ("--set", "width=4", "--batch-size", "16", "--steps", "5", "--name", "r")
ON_DIGITS = ("run", "vae", "--dataset", "digits", *QUICK)
# What a person does first with each, after the line of its README that makes data.
USES = {
    "generator": [("run", NAME, "--name", "r", "--steps", "5"), ("generate", "runs/r", "--n", "4")],
    "recommender": [
        ("run", NAME, "--name", "r"),
        ("recommend", "runs/r", "--history", "Solaris", "-k", "2"),
    ],
    "dataset": [("run", "vae", "--dataset", NAME, "--data", "path=shapes.csv", *QUICK)],
    "trainer": [(*ON_DIGITS, "--trainer", NAME)],
    "metric": [ON_DIGITS, ("evaluate", "runs/r", "--metrics", NAME, "--n", "64")],
}


def test_each_kind_is_tried():
    assert list(KINDS) == list(USES) == list(LISTED)


@pytest.mark.parametrize("kind", KINDS)
def test_a_made_plugin_installs_works_and_passes_its_tests(kind, tmp_path):
    environment = Environment(tmp_path / "venv", backend.choose())

    def genkit(*words, folder=tmp_path):
        return json.loads(environment.run("genkit", *words, "--json", folder=folder))

    made = genkit("new", "plugin", NAME, "--kind", kind)
    project = tmp_path / made["path"]
    environment.run("pip", "install", "-q", f"{project}[test]")
    rows = genkit("list", "plugins")["plugins"]
    (row,) = [row for row in rows if row["distribution"] == made["distribution"]]
    assert (row["brings"], row["faults"], row["version"]) == (LISTED[kind], [], "0.1.0")
    place = tmp_path / "elsewhere"
    place.mkdir()
    if kind == "dataset":
        environment.run("python", "-m", f"{made['package']}.fake", folder=place)
    for use in USES[kind]:
        told = genkit(*use, folder=place)
    if kind == "recommender":
        assert [item["because"] for item in told["items"]] == ["Solaris"] * 2
    if kind == "metric":
        assert "brightness-gap" in json.dumps(told)
    tested = environment.run("pytest", "-q", "-p", "no:cacheprovider", folder=project)
    assert re.search(r"\d+ passed", tested)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["x", "a-name-as-long-as-names-may-be"])
def test_a_made_plugin_has_good_form_whatever_its_name(kind, name, tmp_path):
    if find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    written = write_plugin(name, kind, tmp_path)
    command = [sys.executable, "-m", "ruff"]
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [*command, *check, "--no-cache", str(written.path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
