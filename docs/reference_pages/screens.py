"""What the terminal shows while a model trains and after it was measured, wide and narrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from genkit.builtin.zoo import find_zoo_model
from genkit.cli.figures import figure_lines
from genkit.evaluation.figure import Figure
from genkit.live import Status, status_line
from reference_pages import markdown

RECORD = Path(__file__).parents[1] / "screens.json"
"""Recorded of the run that the page names: statuses, and the file evaluation.json."""
WIDTHS = (80, 40)


_TRAINING = """\
`genkit run vae`: one line, which changes in place. Step, bar and time left always fit; losses stand
there as far as there is room. The time is that of steps alone, and none is told before compilation
is out of it."""
_LOG = """\
A notebook has the same line, as one output of its cell. In a file or a pipe there is a line each
ten seconds instead, with everything:"""
_MEASURING = """\
`genkit evaluate RUN --n 1000`: what one looks at first, beside what the same model of the
[reference results](../zoo.md) has."""
_VERBOSE = """\
`--verbose` shows every figure, and how each was measured: what all cards say alike once, then what
each says alone."""


def written() -> str:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    return markdown.page(
        "What the terminal shows",
        "Recorded of a run of `vae` on `mnist`, in terminals of 80 and of 40 columns.",
        [
            "## Training",
            _TRAINING,
            *(_screen(_progress(record["statuses"], width), width) for width in WIDTHS),
            _LOG,
            _block("\n".join(record["log"])),
            "## Measuring",
            _MEASURING,
            *(_screen(_figures(record, width), width) for width in WIDTHS),
            _VERBOSE,
            _screen(_figures(record, WIDTHS[0], verbose=True), WIDTHS[0]),
        ],
    )


def _progress(statuses: list[dict[str, Any]], width: int) -> str:
    return "\n".join(
        status_line(Status(**each["status"]), width, now=each["now"]).plain for each in statuses
    )


def _figures(record: dict[str, Any], width: int, *, verbose: bool = False) -> str:
    figures = [Figure.from_dict(row) for row in record["metrics"]]
    lines = figure_lines(
        record["title"],
        figures,
        find_zoo_model("vae", "mnist"),
        folder=Path("runs/mine"),
        asked=False,
        verbose=verbose,
        width=width,
    )
    return "\n".join(lines)


def _screen(text: str, width: int) -> str:
    return f"{width} columns:\n\n{_block(text)}"


def _block(text: str) -> str:
    return f"```text\n{text}\n```"
