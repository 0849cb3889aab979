"""A plugin of each kind is made, installed, listed, used for a few steps, and passes its tests."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec

import pytest

from genkit.cli.scaffold import KINDS, write_plugin

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


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_made_plugin_installs_does_what_its_readme_says_and_passes_its_tests(
    kind, tmp_path, clean_environment
):
    environment = clean_environment
    told = environment.run("genkit", "new", "plugin", NAME, "--kind", kind, "--json", at=tmp_path)
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
