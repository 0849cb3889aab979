"""``genkit runs rm``, ``bin`` and ``restore``: runs out of the way, and back."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, say, table
from genkit.cli.run_argument import RunsArgument
from genkit.runs.names import DEFAULT_RUNS_DIR

if TYPE_CHECKING:
    from genkit.runs.moving import Binned

_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_THOUSAND = 1000


def rm(runs: RunsArgument, as_json: JsonFlag = False) -> int:
    """Put runs into the bin, a folder .bin beside them; nothing is deleted.

    A run that is being written is refused, and then none is moved.

    Examples:
      genkit runs rm latest
      genkit runs rm first second
    """
    from genkit.runs.moving import bin_runs

    moved = bin_runs(runs)
    result = {"runs": [str(run) for run in runs], "bin": [str(each.path) for each in moved]}

    def show() -> None:
        for each in moved:
            back = f"{_command(each.runs_dir)} restore {shlex.quote(each.name)}"
            say(f"{each.runs_dir / each.name} is in the bin. Bring it back: {back}")
        for folder in dict.fromkeys(each.runs_dir for each in moved):
            say(f"To free the space for good: {_command(folder)} bin --empty")

    emit(result, as_json, show)
    return 0


def bin_(
    context: typer.Context,
    empty: Annotated[
        bool, typer.Option("--empty", help="Delete for good what is in the bin.")
    ] = False,
    as_json: JsonFlag = False,
) -> int:
    """Show what is in the bin of the runs folder, or empty it.

    Examples:
      genkit runs bin
      genkit runs bin --empty
    """
    from genkit.runs.moving import binned_runs, empty_bin

    folder = completion.runs_dir_of(context)
    found = binned_runs(folder)
    sizes = [each.size() for each in found]
    if empty:
        empty_bin(folder)
    rows = [
        {"run": each.name, "path": str(each.path), "since": each.since, "bytes": size}
        for each, size in zip(found, sizes, strict=True)
    ]
    emit(
        {"runs": rows, "emptied": empty},
        as_json,
        lambda: _show_bin(found, sizes, folder, emptied=empty),
    )
    return 0


def restore(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(help="Name of a run in the bin.", autocompletion=completion.binned),
    ],
    as_json: JsonFlag = False,
) -> int:
    """Bring a run back from the bin; of several of one name, the one put there last.

    Examples:
      genkit runs restore mine
    """
    from genkit.runs.moving import restore_run

    run = restore_run(name, completion.runs_dir_of(context))
    emit({"run": str(run)}, as_json, lambda: say(f"{run} is back."))
    return 0


def _show_bin(found: list[Binned], sizes: list[int], folder: Path, *, emptied: bool) -> None:
    if not found:
        say(f"The bin of {folder} is empty.")
        return
    count = "1 run" if len(found) == 1 else f"{len(found)} runs"
    if emptied:
        say(f"Deleted {count}: {_size(sum(sizes))} are free.")
        return
    rows = [[e.name, e.since, _size(size)] for e, size in zip(found, sizes, strict=True)]
    table("", ["run", "in the bin since", "size"], rows)
    say(f"{count}, {_size(sum(sizes))}. Bring one back: {_command(folder)} restore NAME")


def _command(folder: Path) -> str:
    """Return the command about a folder of runs, as it would be typed."""
    where = "" if folder == DEFAULT_RUNS_DIR else f" --runs-dir {shlex.quote(str(folder))}"
    return f"genkit runs{where}"


def _size(count: float) -> str:
    power = 0
    while count >= _THOUSAND and power < len(_UNITS) - 1:
        count, power = count / _THOUSAND, power + 1
    return f"{count:.3g} {_UNITS[power]}"
