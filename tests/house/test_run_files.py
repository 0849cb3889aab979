"""What a run's files are called is known in the room of runs alone; others ask its functions."""

import ast

import pytest

from tests.house.rooms import modules_of, room_of
from tests.house.test_floors import PACKAGE

pytestmark = pytest.mark.once

FILES = {
    "assets.safetensors",
    "callbacks.safetensors",
    "environment.json",
    "evaluation.json",
    "metrics.jsonl",
    "model.safetensors",
    "plan.json",
    "state.json",
    "statement.json",
    "training.safetensors",
    "weights.safetensors",
}


def named(tree):
    """Return the files of a run that a module opens by name; texts that speak of them are free."""
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if text in FILES}


def test_no_other_room_names_a_file_of_a_run():
    found = {
        module: names
        for module, file in modules_of(PACKAGE).items()
        if room_of(module) != "runs" and (names := named(ast.parse(file.read_text("utf-8"))))
    }
    assert found == {}


def test_a_file_that_is_opened_by_name_is_found():
    assert named(ast.parse("read_json(folder / 'plan.json')")) == {"plan.json"}
    assert named(ast.parse("Path(run, 'plan.json')")) == {"plan.json"}
    assert named(ast.parse("f'The {path}/plan.json is damaged'")) == set()


def test_the_names_are_those_that_the_room_of_runs_uses():
    files = [f for m, f in modules_of(PACKAGE).items() if room_of(m) == "runs"]
    used = set().union(*(named(ast.parse(file.read_text("utf-8"))) for file in files))
    assert used == FILES
