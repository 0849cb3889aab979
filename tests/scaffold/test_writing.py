"""What is written, where, and what is refused."""

import json
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from genkit.cli.scaffold import KINDS, write_plugin
from genkit.errors import UsageError
from genkit.plugins.entry_points import own_version


@pytest.mark.parametrize("kind", KINDS)
def test_a_distribution_is_complete_and_has_the_name_throughout(kind, tmp_path):
    written = write_plugin("my-shapes", kind, tmp_path)
    assert written.path == tmp_path / "genkit-keras-my-shapes"
    assert {
        ".github/workflows/tests.yml",
        ".gitignore",
        "README.md",
        "noxfile.py",
        "pyproject.toml",
        "genkit_my_shapes/plugin.py",
        "tests/test_conformance.py",
    } <= set(written.files)
    files = {path for path in written.path.rglob("*") if path.is_file()}
    assert {path.relative_to(written.path).as_posix() for path in files} == set(written.files)
    assert not any("myplugin" in path.read_text() for path in files)
    readme = (written.path / "README.md").read_text()
    listed = {line.split("`")[1] for line in readme.splitlines() if line.startswith("| `genkit_")}
    modules = {name for name in written.files if name.startswith("genkit_")}
    assert listed == modules - {"genkit_my_shapes/__init__.py"}


def test_the_plugin_says_that_it_knows_this_version(tmp_path):
    import tomllib

    written = write_plugin("shapes", "metric", tmp_path)
    project = tomllib.loads((written.path / "pyproject.toml").read_text())["project"]
    (wanted,) = map(Requirement, project["dependencies"])
    assert wanted.name == "genkit-keras"
    assert own_version() in wanted.specifier, "change genkit/cli/scaffold/templates/pyproject.toml"


def test_an_empty_folder_is_filled_and_a_full_one_is_left_alone(tmp_path):
    path = tmp_path / "genkit-keras-shapes"
    path.mkdir()
    write_plugin("shapes", "metric", tmp_path)
    before = {file: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    with pytest.raises(UsageError, match="is there already"):
        write_plugin("shapes", "dataset", tmp_path)
    assert {file: file.read_bytes() for file in path.rglob("*") if file.is_file()} == before
    (tmp_path / "genkit-keras-tones").write_text("a file")
    with pytest.raises(UsageError, match="is there already"):
        write_plugin("tones", "metric", tmp_path)


def test_where_writing_fails_nothing_is_left(tmp_path, monkeypatch):
    def full(self, text, **_):
        if self.name == "plugin.py":
            raise OSError(28, "No space left on device")
        self.write_bytes(text.encode())

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="No space left"):
        write_plugin("shapes", "metric", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_what_linters_and_python_leave_in_the_templates_is_not_written(tmp_path, monkeypatch):
    import shutil

    from genkit.cli.scaffold import writing

    templates = tmp_path / "templates"
    shutil.copytree(writing._TEMPLATES, templates)
    for leaving in ("metric/genkit_myplugin/__pycache__/plugin.pyc", ".ruff_cache/0/x"):
        (templates / leaving).parent.mkdir(parents=True, exist_ok=True)
        (templates / leaving).write_bytes(b"\xff")
    monkeypatch.setattr(writing, "_TEMPLATES", templates)
    files = write_plugin("shapes", "metric", tmp_path).files
    assert not [name for name in files if "cache" in name and name != ".gitignore"]


def test_the_command_tells_what_to_type_next(genkit_command, tmp_path):
    shown = genkit_command("new", "plugin", "shapes", "--kind", "metric").stdout
    assert shown.splitlines()[-3:] == [
        "  cd genkit-keras-shapes",
        "  pip install -e '.[test]'",
        "  pytest",
    ]
    where = ("--folder", "some place")
    done = genkit_command("new", "plugin", "shapes", "--kind", "trainer", *where, "--json")
    told = json.loads(done.stdout)
    assert told["path"] == "some place/genkit-keras-shapes"
    assert told["next"][0] == "cd 'some place/genkit-keras-shapes'"
    assert (told["distribution"], told["package"]) == ("genkit-keras-shapes", "genkit_shapes")
    assert all((tmp_path / told["path"] / name).is_file() for name in told["files"])
