"""How a word on the command line may go on: the names of things and of runs.

Each function stands as ``autocompletion`` of a parameter; each press of the tab key calls it.
Nothing heavy is imported, and only what is asked for is looked at.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from textwrap import shorten
from typing import Any, get_args

import typer

from genkit.plan.from_program import MEMORY
from genkit.plugins.entries import KINDS
from genkit.runs.names import DEFAULT_RUNS_DIR, LATEST, is_run

Offer = tuple[str, str]
"""What a word may become, and a few words on it for the shells that show them."""
_WORDS = 60
"""Columns for those words."""


def runs_dir_of(context: typer.Context) -> Path:
    """Return the folder of runs that a command is about: its group may name one."""
    group = context.parent.params if context.parent else {}
    return Path(context.params.get("runs_dir") or group.get("runs_dir") or DEFAULT_RUNS_DIR)


def asked(context: typer.Context) -> dict[str, Any]:
    """Return what the words before say, by parameter; a recipe's words are among them."""
    from genkit.runs.finding import known_run

    given = {key: value for key, value in context.params.items() if value is not None}
    words = list(context.args)  # what stands before an option that has no value yet isn't parsed
    for parameter in context.command.params:
        if parameter.param_type_name == "argument" and parameter.name not in given and words:
            given[str(parameter.name)] = words.pop(0)
    if "run" in given:
        given["run"] = known_run(given["run"], runs_dir_of(context))
    if "recipe" not in given:
        return given
    import tomllib

    return {**tomllib.loads(Path(given["recipe"]).read_text(encoding="utf-8")), **given}


def runs(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the runs of the runs folder by name, and ``latest``; after a slash, directories."""
    from genkit.runs.finding import run_folders

    if os.sep in incomplete:
        folders = [path for path in paths(incomplete) if path.endswith(os.sep)]
        return [(path.rstrip(os.sep) if is_run(Path(path)) else path, "") for path in folders]
    names = sorted(run.name for run in run_folders(runs_dir_of(context)))
    newest = [(LATEST, "the newest run")] if names else []
    return beginning(incomplete, [*newest, *((name, "") for name in names)])


def sorts(incomplete: str) -> list[Offer]:
    """Offer what runs can be sorted by."""
    from genkit.runs.folder import SORTS

    return beginning(incomplete, [(name, "") for name in SORTS])


def filters(incomplete: str) -> list[Offer]:
    """Offer what runs can be filtered by."""
    from genkit.runs.folder import FILTERS

    return beginning(incomplete, [(f"{name}=", "") for name in FILTERS])


def binned(context: typer.Context, incomplete: str) -> list[Offer]:
    """Offer the runs in the bin of the runs folder."""
    from genkit.runs.moving import binned_runs

    return beginning(incomplete, [(run.name, "") for run in binned_runs(runs_dir_of(context))])


def models(incomplete: str) -> list[Offer]:
    """Offer the models."""
    return _specs("models", incomplete)


def datasets(incomplete: str) -> list[Offer]:
    """Offer the data sets."""
    return _specs("datasets", incomplete)


def trainers(incomplete: str) -> list[Offer]:
    """Offer the trainers."""
    return _specs("trainers", incomplete)


def callbacks(incomplete: str) -> list[Offer]:
    """Offer the callbacks."""
    return _specs("callbacks", incomplete)


def backends(incomplete: str) -> list[Offer]:
    """Offer the backends that are installed."""
    from genkit.plan.activation import installed_backends

    return beginning(incomplete, [(name, "") for name in (*installed_backends(), "auto")])


def launchers(incomplete: str) -> list[Offer]:
    """Offer what starts the workers of a training."""
    return _specs("launchers", incomplete)


def precisions(incomplete: str) -> list[Offer]:
    """Offer what can be computed in."""
    from genkit.plan.precision import Precision

    return beginning(incomplete, [(name, "") for name in get_args(Precision)])


def schedules(incomplete: str) -> list[Offer]:
    """Offer how learning rates may fall."""
    from genkit.plan.fitting import LearningRateSchedule

    return beginning(incomplete, [(name, "") for name in get_args(LearningRateSchedule)])


def metrics(incomplete: str) -> list[Offer]:
    """Offer metrics, with commas between them."""
    return after_comma(incomplete, _specs("metrics", ""))


def metric(incomplete: str) -> list[Offer]:
    """Offer metrics, one a flag."""
    return _specs("metrics", incomplete)


def several_models(incomplete: str) -> list[Offer]:
    """Offer models, with commas between them."""
    return after_comma(incomplete, _specs("models", ""))


def several_backends(incomplete: str) -> list[Offer]:
    """Offer installed backends, with commas between them."""
    return after_comma(incomplete, [each for each in backends("") if each[0] != "auto"])


def extractors(incomplete: str) -> list[Offer]:
    """Offer what makes features of items."""
    return _specs("extractors", incomplete)


def classical(incomplete: str) -> list[Offer]:
    """Offer the ways of classical augmentation."""
    from genkit.plugins.registry import installed

    words = dict.fromkeys(w for e in installed().entries("learners") for w in e.spec.classical)
    return beginning(incomplete, [(word, "") for word in words])


def plugin_kinds(incomplete: str) -> list[Offer]:
    """Offer what a plugin can bring that ``genkit new`` writes."""
    from genkit.cli.scaffold import KINDS as MADE

    return beginning(incomplete, [(kind, "") for kind in MADE])


def kinds(incomplete: str) -> list[Offer]:
    """Offer what ``genkit list`` lists."""
    return beginning(incomplete, [(kind, "") for kind in (*KINDS, "plugins")])


def everything(incomplete: str) -> list[Offer]:
    """Offer the names of all that plugins bring, and of the plugins."""
    from genkit.plugins.registry import installed

    named = [offer for kind in KINDS for offer in _specs(kind, incomplete)]
    plugins = [(name, "a plugin") for each in installed().all_plugins() for name in each.key]
    return list(dict([*beginning(incomplete, plugins), *named]).items())


def _specs(kind: str, incomplete: str) -> list[Offer]:
    """Offer the names of a kind; after a slash, with the distributions that bring them."""
    from genkit.plugins.registry import installed

    entries = installed().entries(kind)
    return beginning(
        incomplete,
        {
            entry.qualified_name if "/" in incomplete else entry.spec.name: entry.spec.summary
            for entry in entries
            if entry.qualified_name != MEMORY  # only Python can hand anything over
        }.items(),
    )


def after_comma(incomplete: str, offers: Iterable[Offer]) -> list[Offer]:
    """Return the offers for a list with commas, those that it has not yet."""
    before, comma, _ = incomplete.rpartition(",")
    taken = before.split(",")
    more = [(f"{before}{comma}{name}", told) for name, told in offers if name not in taken]
    return beginning(incomplete, more)


def beginning(incomplete: str, offers: Iterable[Offer]) -> list[Offer]:
    """Return the offers that begin as the word does, each with words that fit a line."""
    found = [(word, told) for word, told in offers if word.startswith(incomplete)]
    return [(word, shorten(told, _WORDS, placeholder=" ...")) for word, told in found]


def paths(incomplete: str) -> list[str]:
    """Return the paths that a beginning fits; folders end with a slash."""
    folder, slash, start = incomplete.rpartition(os.sep)
    with os.scandir(Path(folder + slash).expanduser()) as entries:
        return sorted(
            f"{folder}{slash}{entry.name}{os.sep if entry.is_dir() else ''}"
            for entry in entries
            if entry.name.startswith(start) and (start or not entry.name.startswith("."))
        )
