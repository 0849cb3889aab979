"""Imports point down only, and no two files import each other in a circle."""

from pathlib import Path

import pytest

import genkit
from tests.house.rooms import (
    FLOOR_OF,
    between_folders,
    circles,
    imports_of,
    modules_of,
    room_of,
)

PACKAGE = Path(genkit.__file__).parent
PLUGINS = sorted(PACKAGE.parent.glob("plugins/*/genkit_*"))


def upward(package):
    """Return the imports of a package that don't go to a lower floor, and are not of one room."""
    found = set()
    for module, others in imports_of(package).items():
        room = room_of(module)
        for other in others:
            theirs = room_of(other)
            if room != theirs and FLOOR_OF[theirs] >= FLOOR_OF[room]:
                found.add(f"{module} -> {other}")
    return found


def test_every_file_of_genkit_is_in_a_room():
    assert [name for name in modules_of(PACKAGE) if room_of(name) is None] == []


def test_imports_point_down():
    assert upward(PACKAGE) == set()


def test_no_file_of_genkit_is_in_a_circle():
    assert circles(imports_of(PACKAGE)) == []


@pytest.mark.parametrize("package", PLUGINS, ids=lambda package: package.name)
def test_no_file_or_folder_of_a_plugin_is_in_a_circle(package):
    graph, modules = imports_of(package), modules_of(package)
    assert circles(graph) == []
    assert circles(between_folders(graph, modules)) == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("errors.py", "import genkit.files"),
        ("errors.py", "def f():\n    from genkit.files import inside"),
        (
            "errors.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from genkit.files import x",
        ),
        ("errors.py", "from importlib import import_module\nimport_module('genkit.files')"),
        ("data/a.py", "from genkit import layers"),
        ("layers/a.py", "from genkit.data import a"),
        ("data/a.py", "from ..runs import a"),
    ],
)
def test_an_import_that_points_up_is_found_wherever_it_stands(tmp_path, file, text):
    package = tmp_path / "genkit"
    for name in ("errors", "files", "data/__init__", "layers/__init__", "runs/__init__", "runs/a"):
        path = package / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (package / "__init__.py").touch()
    assert upward(package) == set()
    (package / file).write_text(text)
    assert len(upward(package)) == 1


def test_a_circle_is_found(tmp_path):
    package = tmp_path / "genkit_x"
    (package / "models").mkdir(parents=True)
    for name, text in {
        "__init__": "",
        "a": "def f():\n    from genkit_x.models import b",
        "models/__init__": "",
        "models/b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from .. import a",
    }.items():
        (package / f"{name}.py").write_text(text)
    assert circles(imports_of(package)) == [["genkit_x.a", "genkit_x.models.b"]]
