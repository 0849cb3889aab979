"""Imports point down only, none in a circle; and the picture of the house is true."""

import re
from pathlib import Path

import pytest

import genkit
from tests.docs.documents import DOCS
from tests.house.rooms import (
    FLOOR_OF,
    FLOORS,
    between_folders,
    circles,
    imports_of,
    modules_of,
    references_of,
    room_of,
)

PACKAGE = Path(genkit.__file__).parent
PLUGINS = sorted(PACKAGE.parent.glob("plugins/*/genkit_*"))


# What stands above may be named by a reference, as plugins do it: by the built-in plugin, and by
# these, for the plugin itself and for Python's way of asking an object how a notebook displays it.
REFERENCES = {
    "genkit.plugins.registry -> genkit.builtin.plugin",
    "genkit.plugins.display -> genkit.report.notebook",
}


def upward(graph):
    """Return which imports or references don't go to a lower floor, and are not of one room."""
    found = set()
    for module, others in graph.items():
        room = room_of(module)
        for other in others:
            theirs = room_of(other)
            if room != theirs and FLOOR_OF[theirs] >= FLOOR_OF[room]:
                found.add(f"{module} -> {other}")
    return found


def test_every_file_of_genkit_is_in_a_room():
    assert [name for name in modules_of(PACKAGE) if room_of(name) is None] == []


def picture():
    """Return the floors of the picture in the documentation, highest first, with what it tells."""
    text = (DOCS / "explanation" / "architecture.md").read_text(encoding="utf-8")
    house = text.partition("## The house")[2].partition("```text\n")[2].partition("```")[0]
    floors = []
    for line in house.splitlines():
        rooms, told = line[:23].split(), line[23:]
        if rooms:
            floors.append((tuple(re.sub(r"/$|\.py$", "", room) for room in rooms), []))
        floors[-1][1].append(told)
    return [(rooms, " ".join(told)) for rooms, told in floors]


def test_the_picture_of_the_house_is_that_of_the_floors():
    assert [rooms for rooms, _ in picture()] == FLOORS[::-1]


def test_what_the_picture_names_is_there():
    for rooms, told in picture():
        folders = [PACKAGE if room == "genkit" else PACKAGE / room for room in rooms]
        for name in re.findall(r"\w+(?:\.py|/)", told):
            assert any((folder / name).exists() for folder in folders), (rooms, name)


def test_imports_point_down():
    assert upward(imports_of(PACKAGE)) == set()


def test_only_records_name_by_a_reference_what_stands_above_them():
    graph = {m: others for m, others in references_of(PACKAGE).items() if room_of(m) != "builtin"}
    assert upward(graph) == REFERENCES


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
    assert upward(imports_of(package)) == set()
    (package / file).write_text(text)
    assert len(upward(imports_of(package))) == 1


def test_a_reference_that_points_up_is_found(tmp_path):
    package = tmp_path / "genkit"
    (package / "data").mkdir(parents=True)
    (package / "data/a.py").touch()
    (package / "errors.py").write_text('there = "genkit.data.a:name"')
    assert upward(references_of(package)) == {"genkit.errors -> genkit.data.a"}


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
