"""A plugin of each kind is made, installed, listed, used for a few steps, and passes its tests."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from genkit.cli.scaffold import KINDS, write_plugin
from tests.commands import variables
from tests.docs.documents import path_with

LISTED = {
    "generator": {"models": ["my-generator"]},
    "recommender": {
        "models": ["my-recommender"],
        "datasets": ["my-recommender-likes"],
        "commands": ["recommend"],
    },
    "dataset": {"datasets": ["my-dataset"]},
    "trainer": {"trainers": ["my-trainer"]},
    "metric": {"metrics": ["my-metric"]},
}
# Of what the commands in the README print.
SHOWN = {
    "generator": ["16 samples: runs/first/generated/grid.png", "latent_dim"],
    "recommender": ['"title": "Kidnapped"', "because", "shrink"],
    "dataset": ["shapes.csv", "16 samples", "The CSV file"],
    "trainer": ["5 steps", "share"],
    "metric": ["brightness-gap"],
}


def test_each_kind_is_tried():
    assert list(KINDS) == list(LISTED)


# A generator is made, installed and tested by the tutorial's test each time; the others have a
# short form.
SHORT = [kind for kind in KINDS if kind != "generator"]


@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_a_made_plugin_installs_does_what_its_readme_says_and_passes_its_tests(
    kind, tmp_path, clean_environment
):
    environment = clean_environment
    command = ("genkit", "new", "plugin", f"my-{kind}", "--kind", kind, "--json")
    told = environment.run(*command, at=tmp_path)
    made = json.loads(told)
    project = tmp_path / made["path"]
    environment.install(f"{project}[test]", at=tmp_path)
    rows = json.loads(environment.run("genkit", "list", "plugins", "--json", at=tmp_path))
    (row,) = [row for row in rows["plugins"] if row["distribution"] == made["distribution"]]
    assert (row["brings"], row["faults"], row["version"]) == (LISTED[kind], [], "0.1.0")
    place = tmp_path / "elsewhere"
    place.mkdir()
    shown = environment.run("bash", "-ec", uses((project / "README.md").read_text()), at=place)
    for words in SHOWN[kind]:
        assert words in shown
    tested = environment.run("pytest", "-q", "-p", "no:cacheprovider", at=project)
    assert re.search(r"\d+ passed", tested)


@pytest.mark.slow
def test_made_plugins_are_found_together_and_pass_their_tests(tmp_path):
    """The short form: their metadata stand beside them, and one process runs all their tests."""
    path = os.environ.get("PYTHONPATH", "")
    for kind in SHORT:
        project = write_plugin(f"my-{kind}", kind, tmp_path).path
        path = path_with(str(project), tmp_path / "site", path)
    shown = {}
    for command in (
        "-m genkit list plugins --json",
        "-m pytest -v --import-mode importlib -p no:cacheprovider .",
    ):
        done = subprocess.run(
            [sys.executable, *command.split()], cwd=tmp_path, env=variables(PYTHONPATH=path),
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        shown[command.split()[1]] = done.stdout
    listed = {each["distribution"]: each for each in json.loads(shown["genkit"])["plugins"]}
    for kind in SHORT:
        row = listed[f"genkit-keras-my-{kind}"]
        assert (row["brings"], row["faults"], row["version"]) == (LISTED[kind], [], "0.1.0")
        for tests in ("test_conformance", r"test_(?!conformance)"):
            passed = rf"^genkit-keras-my-{kind}/tests/{tests}.* PASSED"
            assert re.search(passed, shown["pytest"], re.MULTILINE)


def uses(readme):
    """Return the commands under the heading Use, with few steps."""
    (text,) = re.findall(r"^## Use\n+```bash\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return re.sub(r"--steps \d+", "--steps 5", text)


@pytest.mark.parametrize("name", ["x", "a-name-as-long-as-names-may-be"])
def test_made_plugins_have_good_form_whatever_their_name(name, tmp_path):
    if find_spec("ruff") is None:
        pytest.skip("ruff is not installed")
    for kind in KINDS:
        write_plugin(name, kind, tmp_path / kind)
    command = [sys.executable, "-m", "ruff"]
    for check in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [*command, *check, "--no-cache", str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
