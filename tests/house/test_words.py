"""One word for one thing: the table of words in docs/explanation/architecture.md, and names."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/architecture.md"
# Names that several modules define on purpose: each is one thing, once for each of several.
ONCE_A_BACKEND = ("engine/",)
ONCE_A_MODEL = ("builtin/models/",)
ORDINARY = {"base", "images", "names", "run", "train"}  # words of everybody, or of Python
ONCE_A_SECTION = {"compared"}  # a section of the report for several runs
ONCE_A_PLACE = {
    "Outcome",  # how a training, or a check, ended
    "main",  # what runs when a module is started
    "write_npz",
    "open_data",  # a run's for people, a plan's within
}


def words():
    """Return the table's words, each with its meaning."""
    table = PAGE.read_text(encoding="utf-8").partition("## Words")[2].partition("## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \|$", table, re.MULTILINE)
    return dict(rows[2:])  # without the head


def modules():
    """Yield the modules of the package with their syntax trees; templates are no part of it."""
    for path in sorted((ROOT / "genkit").rglob("*.py")):
        if "templates" not in path.parts:
            yield path.relative_to(ROOT / "genkit").as_posix(), ast.parse(path.read_text("utf-8"))


def defined():
    """Return for each public class and function at the top of a module the modules that do."""
    places = defaultdict(list)
    for path, tree in modules():
        for node in tree.body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
                places[node.name].append(path)
    return places


@cache
def names():
    """Return the names of modules, what they define, and arguments: in lower case, in one piece."""
    found = {path.rpartition("/")[2] for path, _ in modules()} | set(defined())
    for _, tree in modules():
        found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    return {name.replace("_", "").lower() for name in found}


def means_one_thing(name, places):
    """Whether a name that several modules define is one thing, seen from each of them."""
    places = [each for each in places if not each.startswith("cli/")]  # a command, and its work
    if len(places) < 2 or name in ONCE_A_SECTION | ONCE_A_PLACE or name.startswith("genkit_"):
        return True
    return any(
        all(each.startswith(folders) for each in places)
        for folders in (ONCE_A_BACKEND, ONCE_A_MODEL)
    )


def test_no_two_modules_define_one_name():
    twice = {name: where for name, where in defined().items() if not means_one_thing(name, where)}
    assert not twice, "one name for two things: rename one"


def test_a_second_thing_of_one_name_is_found():
    assert not means_one_thing("Batch", ["data/source.py", "evaluation/metric.py"])
    assert means_one_thing("evaluate", ["cli/evaluate.py", "workflows/evaluate.py"])
    assert means_one_thing("normalization", ["engine/kernels/torch.py", "engine/kernels/jax.py"])


@pytest.mark.parametrize("word", words())
def test_each_word_of_the_table_is_used_in_the_code(word):
    spelled = word.replace(" ", "")
    assert any(spelled in name for name in names()), "no name has it: is it another word there?"


def test_what_several_rooms_call_by_one_name_is_in_the_table():
    rooms = defaultdict(set)
    for path, _ in modules():
        *folders, file = path.split("/")
        if folders and file != "__init__.py" and not path.startswith("cli/"):
            rooms[file.removesuffix(".py")].add(folders[0])
    shared = {name for name, its in rooms.items() if len(its) > 1}
    known = ORDINARY.union(*({word, f"{word}s"} for word in words()))
    assert not {name for name in shared if name.replace("_", " ") not in known}
