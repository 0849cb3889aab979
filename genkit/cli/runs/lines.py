"""Runs, and in what two differ, as lines that fit a screen, however narrow it is."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genkit.runs.run_summary import RunSummary

_HEAD = ("run", "date", "duration", "state", "figure")
_FIGURE = 22
"""Columns that a figure may take where there is room: a longer one loses of its name."""
_LEAST_NAME, _LEAST_NOTE = 20, 8
_GAP = "  "
_ENDLESS = 10_000


def width_of_screen() -> int:
    """Return the columns of the screen; endless where nobody watches, so that nothing is cut."""
    if not sys.stdout.isatty() and not os.environ.get("COLUMNS"):
        return _ENDLESS
    return shutil.get_terminal_size().columns


def lines(runs: Sequence[tuple[str, RunSummary]], width: int) -> list[str]:
    """Return the lines of a listing, none of them wider than the screen.

    Args:
        runs: each with what it is called.
        width: columns of the screen. Names that are too long lose their middle.
    """
    if not runs:
        return []
    now = datetime.now().astimezone()
    rows = [(in_line(name), *_about(run, now)) for name, run in runs]
    widths = [max(map(cells, column)) for column in zip(_HEAD, *rows, strict=True)]
    widths[-1] = min(widths[-1], _FIGURE)
    room = width - sum(widths[1:]) - len(_GAP) * (len(widths) - 1)
    if room < min(widths[0], _LEAST_NAME):
        return _in_two(rows, width)
    widths[0] = min(widths[0], room)
    left = room - widths[0] - len(_GAP)
    notes = ["note", *(in_line(run.note) for _, run in runs)]
    noted = left >= _LEAST_NOTE and any(notes[1:])
    found = []
    for row, note in zip((_HEAD, *rows), notes, strict=True):
        name, *about, figure = row
        parts = [middle(name, widths[0]), *about, _figure(figure, widths[-1])]
        line = _GAP.join(padded(part, size) for part, size in zip(parts, widths, strict=True))
        found.append((line + (_GAP + cut(note, left) if noted else "")).rstrip())
    return found


def compared(rows: Sequence[tuple[str, str, str]], width: int) -> list[str]:
    """Return lines that compare two values of each thing: side by side, or one below the other.

    Args:
        rows: each the thing's name, and its value of A and of B.
        width: columns of the screen.
    """
    table = [("", "A", "B"), *rows]
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    if sum(widths) + len(_GAP) * (len(widths) - 1) <= width:
        return [
            _GAP.join(padded(part, size) for part, size in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]
    return [
        cut(line, width) for name, *two in rows for line in (name, f"  A {two[0]}", f"  B {two[1]}")
    ]


def _in_two(rows: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """Return the name of each run on a line of its own, what is told of it below."""
    widths = [max(map(cells, column)) for column in zip(*(row[1:-1] for row in rows), strict=True)]
    found = []
    for name, *about, figure in rows:
        parts = [padded(part, size) for part, size in zip(about, widths, strict=True)]
        line = " ".join(["", *parts])
        found += [
            middle(name, width),
            f"{line} {_figure(figure, width - cells(line) - 1)}".rstrip(),
        ]
    return found


def cells(text: str) -> int:
    """Return the columns that a text takes."""
    from rich.cells import cell_len

    return cell_len(text)


def _about(run: RunSummary, now: datetime) -> tuple[str, str, str, str]:
    made = run.created
    date = f"{made:%m-%d %H:%M}" if made.year == now.year else f"{made:%Y-%m-%d}"
    figure = "-" if run.headline is None else str(run.headline)
    return date, _duration(run.seconds), run.state, figure


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d{hours:02d}h"
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def in_line(text: str) -> str:
    """Return a text in one line; what would steer a terminal is a question mark."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))


def padded(text: str, width: int) -> str:
    """Fill a text up with blanks."""
    return text + " " * (width - cells(text))


def cut(text: str, width: int) -> str:
    """Cut a text at its end, if it is too long."""
    from rich.cells import set_cell_size

    return text if cells(text) <= width else set_cell_size(text, width - 1).rstrip() + _dots()


def _dots() -> str:
    """Return what stands for what was cut, in one column, as the stream can write it."""
    try:
        "…".encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return "~"
    return "…"


def middle(text: str, width: int) -> str:
    """Cut the middle out of a text: names that begin alike differ at their ends."""
    if cells(text) <= width:
        return text
    end = (width - 1) // 2
    while cells(text[-end:]) > (width - 1) // 2:
        end -= 1
    return cut(text, width - cells(text[-end:])) + text[-end:]


def _figure(text: str, width: int) -> str:
    """Cut a figure's name, and never its value."""
    name, space, value = text.partition(" ")
    if cells(text) <= width or not space:
        return text
    return f"{cut(name, max(1, width - cells(value) - 1))} {value}"
