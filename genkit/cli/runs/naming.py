"""``genkit runs rename`` and ``note``: what runs are called, and what is said of them."""

from __future__ import annotations

from typing import Annotated

import typer

from genkit.cli.output import JsonFlag, emit, say
from genkit.cli.run_argument import RunArgument


def rename(
    run: RunArgument,
    name: Annotated[str, typer.Argument(help="Its new name, one that is free.")],
    as_json: JsonFlag = False,
) -> int:
    """Rename a run. One that is being written is left alone.

    Examples:
      genkit runs rename latest baseline
    """
    from genkit.runs.moving import rename_run

    new = rename_run(run, name)
    emit({"run": str(new), "before": str(run)}, as_json, lambda: say(f"{run} is now {new}"))
    return 0


def note(
    run: RunArgument,
    text: Annotated[
        str | None, typer.Argument(help="The note, in place of the one before; '' removes it.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Write down something about a run, or show what is written there.

    The first words stand in the listing where there is room; genkit runs --filter WORD finds it.

    Examples:
      genkit runs note latest "lower rate, no dropout"
      genkit runs note latest
    """
    from genkit.runs.notes import read_note, write_note

    if text is not None:
        write_note(run, text)
    kept = read_note(run)
    emit({"run": str(run), "note": kept}, as_json, lambda: say(kept or f"{run} has no note."))
    return 0
