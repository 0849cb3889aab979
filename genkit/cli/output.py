"""What commands print: one JSON object on stdout, or text for people."""

from __future__ import annotations

import io
import json
import os
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Annotated, Any, BinaryIO, TextIO

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


@contextmanager
def taken_stdout() -> Iterator[BinaryIO]:
    """Return stdout for bytes; whatever else prints there meanwhile and later goes to stderr.

    Raises:
        BrokenPipeError: nobody reads it any more.
    """
    global _stdout  # noqa: PLW0603 - a process has one
    sys.stdout.flush()
    out = io.BufferedWriter(io.FileIO(os.dup(1), "w"), 1 << 16)
    os.dup2(2, 1)
    sys.stdout = _stdout = sys.stderr
    try:
        yield out
        out.flush()
    except BaseException:
        # Else what is left would be written again when it is closed.
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
        raise
    finally:
        out.close()


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
    """Print a table for people; where its words don't fit beside each other, a paragraph a row."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    least = _least_widths(columns, rows)
    room = console.width - 2 * (len(least) - 1)
    if sum(least) > room:
        _paragraphs(title, columns, rows)
        return
    widths = _fitting_widths(columns, rows, least, room)
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for index, (column, width) in enumerate(zip(columns, widths, strict=True)):
        grid.add_column(column, overflow="fold", no_wrap=index == 0, width=width)
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    console.print(grid)


def _least_widths(columns: list[str], rows: list[list[str]]) -> list[int]:
    """Return how wide each column must be, so that no word is cut; the first isn't broken."""
    from rich.cells import cell_len

    whole, *others = zip(columns, *rows, strict=True)
    widths = [
        max(cell_len(word) for cell in cells for word in (*cell.split(), "")) for cells in others
    ]
    return [max(map(cell_len, whole)), *widths]


def _fitting_widths(
    columns: list[str], rows: list[list[str]], least: list[int], room: int
) -> list[int]:
    """Return widths that fill the room at most: the widest column that can gives way first.

    Rich takes from a column what its words need, and cuts off what then sticks out.
    """
    from rich.cells import cell_len

    lines = (
        [cell_len(line) for cell in cells for line in cell.splitlines() or [""]]
        for cells in zip(columns, *rows, strict=True)
    )
    widths = [max(each) for each in lines]
    while sum(widths) > room:
        wide = [index for index, width in enumerate(widths) if width > least[index]]
        widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def _paragraphs(title: str, columns: list[str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    if title:
        console.print(title)
    for first, *others in rows:
        console.print(f"[bold]{escape(first)}[/]")
        for column, cell in zip(columns[1:], others, strict=True):
            if cell:
                say(_filled(f"{column}: {cell}" if column else cell, console.width, "  "))


def definitions(title: str, entries: list[tuple[str, str, str]]) -> None:
    """Print names for people, each with a line on its value, and one on its meaning below."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    console.print(f"\n[bold]{title}[/]")
    for name, value, meaning in entries:
        first, *more = _filled(f"{name}  {value}", console.width, "").splitlines()
        console.print(f"[bold]{escape(name)}[/]{escape(first.removeprefix(name))}")
        for line in more:
            say(line)
        if meaning:
            say(_filled(meaning, console.width, "  "))


def _filled(text: str, width: int, indent: str) -> str:
    """Break a text between words."""
    return textwrap.fill(
        text,
        max(width, len(indent) + 20),
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
