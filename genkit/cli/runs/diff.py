"""``genkit runs diff``: in what two runs differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, say
from genkit.cli.run_argument import RunArgument, find
from genkit.cli.runs.lines import compared, middle, width_of_screen

if TYPE_CHECKING:
    from genkit.runs.run_diff import RunDiff

_LONGEST = 60


def diff(
    run: RunArgument,
    other: Annotated[
        Path,
        typer.Argument(
            metavar="OTHER",
            help="Another run, named in the same way.",
            callback=find,
            autocompletion=completion.runs,
        ),
    ],
    as_json: JsonFlag = False,
) -> int:
    """Show in what two runs differ: settings, versions and device, losses and figures.

    Figures that were measured in different ways are shown, and said to be so: they tell nothing
    about which run is better.

    Examples:
      genkit runs diff baseline latest
    """
    from genkit.runs.run_diff import diff_runs

    found = diff_runs(run, other)
    result = {"runs": [str(run), str(other)], **asdict(found)}
    emit(result, as_json, lambda: _show(found, run, other))
    return 0


def _show(found: RunDiff, run: Path, other: Path) -> None:
    parts = {"Settings": found.settings, "Made with": found.versions, "Figures": found.figures}
    if not any(parts.values()):
        say("They don't differ.")
        return
    width = width_of_screen()
    for letter, each in (("A", run), ("B", other)):
        say(f"{letter} {middle(str(each), width - 2)}")
    for title, rows in parts.items():
        if rows:
            say(f"\n{title}")
            values = [(row.name, _value(row.first), _value(row.second)) for row in rows]
            say("\n".join(compared(values, width)))
    for row in found.figures:
        if row.remark:
            say(f"\n{row.name} was measured in different ways: {row.remark}.")


def _value(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, Mapping) and "value" in value:  # a figure with its interval
        low, high = value.get("low"), value.get("high")
        between = "" if low is None or high is None else f" ({low:.4g} to {high:.4g})"
        return f"{_value(value['value'])}{between}"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
