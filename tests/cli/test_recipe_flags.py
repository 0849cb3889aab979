"""Each thing that a recipe may say has one flag, and all commands that train read it alike."""

from pathlib import Path
from typing import Annotated, get_args, get_origin

import pytest

from genkit.cli.recipe_flags import FLAGS, recipe_flags, recipe_of
from genkit.errors import UsageError
from genkit.plan.plan import Recipe
from genkit.report import command

AS_WORDS = {"precision": str, "time": str, "init": Path, "learning_rate_schedule": str}
"""Kinds of flags whose value is read further in the plan."""


def kind(name):
    """Return what a field of a recipe is made of: ``int``, ``str``, ``dict``, ``list``."""
    annotation = Recipe.model_fields[name].annotation
    first = annotation if get_origin(annotation) is dict else get_args(annotation)[0]
    if get_origin(first) is Annotated:
        first = get_args(first)[0]
    return get_origin(first) or first


def test_each_field_of_a_recipe_but_the_model_and_callbacks_has_a_flag_of_its_kind():
    assert set(FLAGS) == set(Recipe.model_fields) - {"model", "callbacks"}
    for name, flag in FLAGS.items():
        assert flag.kind == AS_WORDS.get(name, kind(name)), name


def test_what_is_not_given_is_none_and_nought_is_given():
    asked = {"steps": 0, "data": None, "log": [], "init": Path("runs/mine"), "config": ["a=1"]}
    assert recipe_of(asked) == {
        "steps": 0,
        "data": None,
        "log": None,
        "init": "runs/mine",
        "config": {"a": "1"},
    }
    with pytest.raises(UsageError, match="Expected --trainer-set key=value; received 'epsilon'"):
        recipe_of({"trainer_config": ["epsilon"]})


def test_flags_follow_the_parameter_they_are_to_follow():
    @recipe_flags("First", "backend", "seed", after="model")
    @recipe_flags("Second", "steps", after="model", steps="How many.")
    def train(model: str, name: str = "", **asked: object) -> None:
        """Train."""

    assert list(train.__annotations__) == ["model", "backend", "seed", "steps", "name"]
    options = {
        name: get_args(hint)[1] for name, hint in train.__annotations__.items() if "|" in str(hint)
    }
    assert [option.rich_help_panel for option in options.values()] == ["First", "First", "Second"]
    assert options["steps"].help == "How many."
    assert options["seed"].help == FLAGS["seed"].help


def test_the_command_of_a_report_writes_all_flags_that_a_plan_keeps():
    assert command._FLAGS == [
        "trainer",
        "precision",
        "batch_size",
        "seed",
        "checkpoint_every",
        "sample_every",
        "keep",
        "keep_best",
        "validate_every",
        "watch",
        "watch_every",
        "learning_rate_schedule",
        "warmup_steps",
        "init",
    ]
