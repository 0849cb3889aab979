"""``genkit runs`` alone: a line a run."""

from __future__ import annotations

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, say
from genkit.cli.runs.lines import in_line, lines, width_of_screen
from genkit.runs.names import DEFAULT_RUNS_DIR

if TYPE_CHECKING:
    from genkit.runs.run_summary import RunSummary


def runs(
    context: typer.Context,
    runs_dir: Annotated[Path, typer.Option(help="Folder that holds the runs.")] = DEFAULT_RUNS_DIR,
    sort: Annotated[
        str,
        typer.Option(
            metavar="KEY",
            help="date (the newest first), name, model, dataset, state, duration or step (the "
            "longest first), or figure (the best first).",
            autocompletion=completion.sorts,
        ),
    ] = "date",
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter",
            metavar="KEY=PATTERN",
            help="Only runs whose name, model, dataset, backend, state or note fits: state=failed, "
            "model=*gan, state=stopped,killed; or a word that stands in the name or the note. "
            "Repeatable.",
            autocompletion=completion.filters,
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """List the runs, a line each: when it was made, how long it trained, its state, one figure.

    The figure is one that genkit evaluate measured (fid, if there is one), or else the last loss.
    States: new, running, done, stopped (by a signal), killed, failed, damaged. Wherever a command
    asks for a RUN, its name is enough, or latest, or its directory.

    Examples:
      genkit runs
      genkit runs --sort figure --filter dataset=mnist --filter state=done
      genkit runs --filter state=failed,killed --json
    """
    if context.invoked_subcommand is not None:
        return 0
    from genkit.runs.finding import run_folders
    from genkit.runs.folder import list_runs

    found = list_runs(runs_dir, sort=sort, filters=filters or ())
    total = len(run_folders(runs_dir)) if filters else len(found)
    result = {"runs": [run.to_dict() for run in found]}
    emit(result, as_json, lambda: _show(found, total, runs_dir))
    return 0


def _show(found: list[RunSummary], total: int, runs_dir: Path) -> None:
    if not total:
        say(f"No runs in {runs_dir}. Begin with: genkit run vae")
        return
    bare, width = runs_dir == DEFAULT_RUNS_DIR, width_of_screen()
    for line in lines([(run.name if bare else str(run.path), run) for run in found], width):
        say(line)
    if len(found) < total:
        say(f"{len(found)} of {total} runs fit the filters.")
    for run in found:
        if run.problem:
            say(fill(in_line(f"{run.name}: {run.problem}"), width))
