"""The arguments that name a run: its directory, its name alone, or ``latest``."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import typer
from typer.models import ArgumentInfo, OptionInfo

from genkit.cli import completion, run_completion
from genkit.runs.finding import find_run, known_run

_Function = TypeVar("_Function", bound=Callable[..., Any])


def find(context: typer.Context, value: Any) -> Any:
    """Turn what was typed for a run, or for several, into directories.

    Raises:
        RunError: there is no such run.
    """
    if isinstance(value, (list, tuple)):
        return [find(context, each) for each in value]
    if value is None:
        return None
    folder = completion.runs_dir_of(context)
    if context.resilient_parsing:  # a shell asks for completions: mistakes are not its matter
        return known_run(value, folder) or value
    return find_run(value, folder)


RunArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A run: its name, latest, or its directory.",
        callback=find,
        autocompletion=completion.runs,
    ),
]
ModelArgument = Annotated[
    Path,
    typer.Argument(
        metavar="RUN",
        help="A run: its name, latest, or its directory; or an exported model folder.",
        callback=find,
        autocompletion=completion.runs,
    ),
]
RunsArgument = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN...",
        help="Runs: names, latest, or directories.",
        callback=find,
        autocompletion=completion.runs,
    ),
]


_USUAL: dict[str, Callable[..., Any]] = {
    "backend": completion.backends,
    "checkpoint": run_completion.checkpoints,
    "label": run_completion.labels,
}
"""What options of these names complete to, whoever brings the command."""


def naming_runs(command: _Function) -> _Function:
    """Let the arguments of a plugin's command that are shown as RUN be names too, and complete.

    Its options of usual names complete, too.
    """
    signature = inspect.signature(command, eval_str=True)
    for parameter in signature.parameters.values():
        for record in (*get_args(parameter.annotation)[1:], parameter.default):
            if isinstance(record, ArgumentInfo) and (record.metavar or "").startswith("RUN"):
                record.callback = record.callback or find
                record.autocompletion = record.autocompletion or completion.runs
            elif isinstance(record, OptionInfo):
                record.autocompletion = record.autocompletion or _USUAL.get(parameter.name)
    command.__signature__ = signature  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in signature.parameters.values()}
    return command
