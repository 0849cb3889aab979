"""What commands print: one JSON object on stdout, or text for people."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any, TextIO

import typer

from genkit.cli.streams import open_unread

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
"""The annotation of a command's parameter for ``--json``."""

_USUAL_COLUMNS = 80
_stdout: TextIO | None = None
_emitted = False


def reserve_stdout() -> None:
    """Keep stdout for ``emit``: whatever else prints there goes to stderr instead.

    That holds for the file descriptor too, so for C libraries and child processes.
    """
    global _stdout  # noqa: PLW0603 - a process has one
    sys.stdout.flush()
    _stdout = open_unread(os.dup(1), encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr


def finish() -> None:
    """Write out what is on its way.

    Raises:
        OSError: there is no room for it; Python then doesn't try again as it ends.
    """
    stream = _stdout or sys.stdout
    try:
        stream.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        raise


def emit(data: Mapping[str, Any], as_json: bool, show: Callable[[], None]) -> None:
    """Print a command's result.

    Args:
        data: the JSON form.
        as_json: whether it was asked for.
        show: prints the form for people.
    """
    global _emitted  # noqa: PLW0603 - a process prints one result
    _emitted = True
    if as_json:
        print(json.dumps(data, default=str), file=_stdout or sys.stdout, flush=True)
    else:
        show()


def has_emitted() -> bool:
    """Return whether the command's result was printed."""
    return _emitted


def say(text: str = "") -> None:
    """Print a line for people on stdout."""
    print(text, file=_stdout or sys.stdout)


def note(text: str) -> None:
    """Print a line for people on stderr, if anybody reads it."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)  # noqa: T201


def fault(kind: str, message: str, hint: str = "") -> None:
    """Print an error or a warning on stderr.

    It is one line; in a terminal it is broken at words, and the hint stands below.

    Args:
        kind: ``"error"`` or ``"warning"``.
        message: what happened.
        hint: what to do next.
    """
    lines = [f"{kind}: {message}", hint]
    if not sys.stderr.isatty():
        note(" ".join(lines).rstrip())
        return
    columns = _columns()
    for line in filter(None, lines):
        note(textwrap.fill(line, columns, break_long_words=False, break_on_hyphens=False))


def _columns() -> int:
    """Return the width of the terminal that stderr goes to; stdout may go elsewhere."""
    wished = os.environ.get("COLUMNS", "")
    if wished.isdecimal() and int(wished):
        return int(wished)
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError):
        return _USUAL_COLUMNS


def table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table for people."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    grid = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for index, column in enumerate(columns):
        grid.add_column(column, overflow="fold", no_wrap=index == 0)
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    Console().print(grid)
