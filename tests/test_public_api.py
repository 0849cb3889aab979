"""The fence around the public API: what plugins may import changes only where it is told.

``python -m tests.test_public_api`` writes the snapshot anew.
"""

import ast
import hashlib
import re
import warnings
from importlib import import_module
from pathlib import Path

import pytest

import genkit
from tests.docs.documents import ROOT
from tests.docs.script import script

SNAPSHOT = Path(__file__).with_name("public_api.txt")
REFERENCE = re.compile(r"genkit(\.\w+)*:\w+|genkit\.\w+(\.\w+)+")  # of a record, or to import
STAMP = re.compile(r"^Public API: `(\w+)`$", re.MULTILINE)


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def test_the_public_names_and_signatures_are_those_of_the_snapshot():
    kept, now = SNAPSHOT.read_text(encoding="utf-8").splitlines(), script.public_names.public_api()
    gone, new = sorted(set(kept) - set(now)), sorted(set(now) - set(kept))
    assert not gone, (
        "Public names were removed or changed; plugins may use them. Keep a removed name in "
        f"genkit.RENAMED with what replaces it: {gone}; now: {new}"
    )
    assert not new, f"New public names: run python -m tests.test_public_api. {new}"


def test_a_change_of_the_snapshot_is_told_in_the_changelog():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    stamps = STAMP.findall(changelog)
    wanted = digest(SNAPSHOT.read_text(encoding="utf-8"))
    assert stamps[:1] == [wanted], (
        "The public API has changed: tell how in CHANGELOG.md, under the newest version, and "
        f"write there: Public API: `{wanted}`"
    )


def test_every_public_name_can_be_imported(active_backend):
    for name in genkit.__all__:
        assert getattr(genkit, name) is not None


def outsiders():
    """List the modules that are written as a stranger would: plugins, templates, samples."""
    files = [*ROOT.glob("plugins/*/genkit_*/**/*.py"), *ROOT.glob("docs/samples/**/*.py")]
    files += ROOT.glob("genkit/cli/scaffold/templates/**/*.py")
    return sorted(files)


def names_of_genkit(tree):
    """Return every name of GenKit that a module imports, looks up or refers to in a text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "genkit":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith("genkit."))
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "genkit":
            yield f"genkit.{node.attr}"
        elif isinstance(node, ast.Constant) and REFERENCE.fullmatch(str(node.value)):
            yield node.value.replace(":", ".")


@pytest.mark.parametrize("file", outsiders(), ids=lambda file: str(file.relative_to(ROOT)))
def test_plugins_templates_and_samples_use_public_names_alone(file):
    snapshot = SNAPSHOT.read_text(encoding="utf-8").splitlines()
    public = {line.partition(":")[0] for line in snapshot}
    used = set(names_of_genkit(ast.parse(file.read_text(encoding="utf-8"))))
    assert used <= public


@pytest.mark.parametrize(
    "text",
    [
        "from genkit.runs.run import Run",
        "import genkit.runs.run",
        "run = genkit.runs",
        "trainer = 'genkit.models.training.trainer:Trainer'",
        "import_module('genkit.runs.run')",
    ],
)
def test_a_name_that_is_not_public_is_found_however_it_is_used(text):
    (name,) = names_of_genkit(ast.parse(text))
    assert name not in {line.partition(":")[0] for line in SNAPSHOT.read_text().splitlines()}


def test_a_renamed_name_goes_on_working_and_names_its_replacement(monkeypatch):
    monkeypatch.setattr(genkit, "RENAMED", {"ModelRecord": "ModelSpec"})
    with pytest.warns(DeprecationWarning, match=r"genkit\.ModelRecord .* use genkit\.ModelSpec"):
        assert genkit.ModelRecord is genkit.ModelSpec
    with warnings.catch_warnings(), pytest.raises(AttributeError, match="no attribute 'Modelspec'"):
        genkit.Modelspec  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize(
    ("old", "public", "new", "other"),
    [
        ("genkit.config", "AbsolutePath", "genkit.plugins.config", "parse"),
        ("genkit.api", "Result", "genkit.workflows.train", "execute"),
        ("genkit.fitting", "Outcome", "genkit.plan.fitting", "FitSettings"),
    ],
)
def test_a_module_that_has_moved_hands_on_its_names_and_says_where_they_stand(
    old, public, new, other, active_backend
):
    module = import_module(old)
    with pytest.warns(DeprecationWarning, match=rf"{old}\.{public} .* use genkit\.{public}\."):
        assert getattr(module, public) is getattr(genkit, public)
    namespace = {}
    with pytest.warns(DeprecationWarning, match=rf"use {new}\.{other}\.") as told:
        exec(f"from {old} import {other}", namespace)
    assert namespace[other] is getattr(import_module(new), other)
    assert told[0].filename == "<string>", "it names who imports, not the old place"
    with pytest.raises(AttributeError, match="nothing"):
        module.nothing  # noqa: B018 - the access is what is tested


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(script.public_names.public_api()) + "\n", encoding="utf-8")
