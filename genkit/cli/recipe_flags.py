"""The flags for what a recipe may say, written once for all commands that train."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from genkit.cli import completion, setting_completion
from genkit.plan.fitting import FitSettings

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True)
class Flag:
    """The flag for a field of ``Recipe``.

    Args:
        help: what it sets.
        kind: of the value: ``str``, ``int``, ``Path``; ``list`` is given by a flag a word, ``dict``
            by a flag a pair, ``KEY=VALUE``.
        name: where it isn't the field's.
        metavar: what stands for the value, where that is not its kind.
        complete: offers a shell what the value may be.
    """

    help: str
    kind: type = str
    name: str | None = None
    metavar: str | None = None
    complete: Callable[..., list[completion.Offer]] | None = None


# Not made from Recipe itself: that would import pydantic for each --help.
FLAGS = {
    "backend": Flag(
        "jax, torch, tensorflow or auto (recipe, KERAS_BACKEND, first installed).",
        complete=completion.backends,
    ),
    "dataset": Flag("Name of the data set: genkit list datasets.", complete=completion.datasets),
    "data": Flag(
        "A setting of the data set, e.g. path=photos: genkit info DATASET. Repeatable.",
        dict,
        "--data",
        "KEY=VALUE",
        setting_completion.data_keys,
    ),
    "preset": Flag("Preset to start from: genkit info MODEL.", complete=setting_completion.presets),
    "config": Flag(
        "A setting of the model, e.g. latent_dim=64: genkit info MODEL. Repeatable.",
        dict,
        "--set",
        "KEY=VALUE",
        setting_completion.config_keys,
    ),
    "trainer": Flag("Trainer; by default the model's own.", complete=completion.trainers),
    "trainer_config": Flag(
        "A setting of the trainer: genkit info TRAINER. Repeatable.",
        dict,
        "--trainer-set",
        "KEY=VALUE",
        setting_completion.trainer_keys,
    ),
    "precision": Flag(
        "What to compute in: float32, bfloat16, float16, or auto for the fastest that is safe "
        "here. Weights and losses are float32 always.",
        complete=completion.precisions,
    ),
    "init": Flag(
        "Start from the weights of another run or an exported model, whichever backend made it.",
        Path,
        metavar="RUN",
        complete=completion.runs,
    ),
    "seed": Flag("Seed of all randomness.", int),
    "batch_size": Flag("Items in a batch.", int),
    "steps": Flag("Training steps.", int),
    "epochs": Flag("Passes over the data.", int),
    "time": Flag("Training time: 90s, 10m, 1h30m. The first limit reached ends the run."),
    "checkpoint_every": Flag(
        "Steps between checkpoints: what a killed run can lose. Default "
        f"{FitSettings.checkpoint_every}.",
        int,
        metavar="STEPS",
    ),
    "sample_every": Flag(
        "Steps between sample grids, after those of steps 1, 10 and 100. Default "
        f"{FitSettings.sample_every}.",
        int,
        metavar="STEPS",
    ),
    "keep": Flag(
        f"How many of the newest checkpoints stay. Default {FitSettings.keep}.", int, metavar="K"
    ),
    "keep_best": Flag(
        "Keep the checkpoint where this loss was lowest, too: its mean since the checkpoint "
        "before; or where this watched figure was best. Use it with: genkit generate RUN "
        "--checkpoint best",
        metavar="LOSS",
    ),
    "validate_every": Flag(
        "Look at held-out data every so many steps, and log its losses as validation_NAME, for "
        "--keep-best and callbacks too: the validation split where there is one, else a tenth of "
        "the items, at most 5,000, which are then not learned from.",
        int,
        metavar="STEPS",
    ),
    "watch": Flag(
        "Measure this metric while training goes on, of 1,000 samples against as many held-out "
        "items, or training items without --validate-every; its figures are logged as losses are, "
        "for --keep-best and callbacks too: genkit list metrics. Repeatable.",
        list,
        metavar="METRIC",
        complete=completion.metric,
    ),
    "watch_every": Flag(
        f"Steps between those figures, after those of step 1. Default {FitSettings.watch_every}.",
        int,
        metavar="STEPS",
    ),
    "learning_rate_schedule": Flag(
        "How learning rates fall over the run: constant, linear or cosine, to zero.",
        complete=completion.schedules,
    ),
    "warmup_steps": Flag(
        "Steps over which learning rates rise to their values.", int, metavar="STEPS"
    ),
    "log": Flag(
        "Log to tensorboard or mlflow, into the run directory: genkit list callbacks. Repeatable.",
        list,
        metavar="NAME",
        complete=completion.callbacks,
    ),
}


def recipe_flags(
    panel: str, *fields: str, after: str, **meanings: str
) -> Callable[[_Function], _Function]:
    """Add the flags for some fields of ``Recipe`` to a command, which takes them as ``**asked``.

    Args:
        panel: of the help, that they stand in.
        *fields: in their order there.
        after: the command's parameter that they follow.
        **meanings: by field, what the flag sets in this command, if that is not what it usually is.
    """
    added = [
        inspect.Parameter(
            field,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=_annotation(FLAGS[field], panel, meanings.get(field)),
        )
        for field in fields
    ]

    def enter(command: _Function) -> _Function:
        signature = inspect.signature(command, eval_str=True)
        parameters = []
        for parameter in signature.parameters.values():
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD:
                parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))
            if parameter.name == after:
                parameters += added
        signature = signature.replace(parameters=parameters)
        command.__signature__ = signature  # type: ignore[attr-defined]
        command.__annotations__ = {p.name: p.annotation for p in parameters}
        return command

    return enter


def _annotation(flag: Flag, panel: str, meaning: str | None) -> Any:
    kind = list[str] if flag.kind in (dict, list) else flag.kind
    return Annotated[
        kind | None,
        typer.Option(
            *([flag.name] if flag.name else []),
            metavar=flag.metavar,
            autocompletion=flag.complete,
            help=meaning or flag.help,
            rich_help_panel=panel,
        ),
    ]


def recipe_of(asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the flags of a command ask for as a recipe says it; None for what is not given.

    Raises:
        UsageError: a pair without ``=``.
    """
    from genkit.plan.plan import parse_settings

    found: dict[str, Any] = {}
    for field, value in asked.items():
        flag = FLAGS[field]
        if value is None or value == []:
            found[field] = None
        elif flag.kind is dict:
            found[field] = parse_settings(value, str(flag.name))
        else:
            found[field] = str(value) if flag.kind is Path else value
    return found
