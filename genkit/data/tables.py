"""Tables of text, CSV and kin, read as a stream: some columns, and what is no row of the table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from operator import itemgetter
from pathlib import Path

from genkit.data.table_rows import RowBlock, RowCutter, line_blocks, split_line
from genkit.data.table_text import open_text
from genkit.errors import DataError
from genkit.plugins.names import suggestion

WIDTH = "another number of cells than the head"
"""The reason of a row that is wider than the head, or lacks a wanted cell."""

OPEN_QUOTE = "a quotation mark that isn't closed"
"""The reason of a line whose cell begins with a quotation mark and doesn't end with one."""

_WORDS = {"tab": "\t", "\\t": "\t", "space": " "}
_NAMES = {"\t": "tab", " ": "space"}
_DELIMITERS = (",", ";", "\t", "|", "::", " ", "\x01")
_EXCEL = re.compile(r'"?sep=(.)"?\s*')
_SHOWN = 80
# What pandas, R, SQL and JavaScript write for nothing.
_MISSING = frozenset(
    [
        *("NaN", "nan", "-NaN", "-nan", "NaT", "NA", "<NA>", "#NA", "N/A", "n/a", "#N/A"),
        *("#N/A N/A", "NULL", "Null", "null", "(null)", "#NULL!", "\\N", "None", "undefined"),
    ]
)


@dataclass(frozen=True)
class Dialect:
    """How a table is written.

    Args:
        delimiter: what parts the cells: a character, ``tab``, ``space`` or ``::``; empty for
            commas. Where a head lacks the wanted columns by it, the usual others are tried.
        encoding: of the text, by a name that Python knows; empty for UTF-8, or what a byte order
            mark says.
        fallback: encoding of text that is not in UTF-8; empty to refuse it.
        most: bytes of text that a file may have; None for any number.
    """

    delimiter: str = ""
    encoding: str = ""
    fallback: str = ""
    most: int | None = None


@dataclass(frozen=True)
class Malformed:
    """A line that is no row of its table.

    Args:
        line: its number, from 1 on.
        reason: why, to follow "with": rows are counted by it.
        text: what was expected, and the line, shortened.
    """

    line: int
    reason: str
    text: str


@dataclass(frozen=True)
class TableChunk:
    """Some rows of a table.

    Args:
        rows: the wanted cells of each.
        lines: where each begins in the file, from 1 on.
        malformed: lines between them that are no rows.
        doubtful: lines where a cell in quotation marks begins whose other lines look like rows.
    """

    rows: list[Sequence[str]]
    lines: Sequence[int]
    malformed: list[Malformed] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)


def is_missing(text: str) -> bool:
    r"""Whether a cell stands for nothing: empty, ``NaN``, ``NULL``, ``None``, ``NA``, ``\N``."""
    text = text.strip()
    return not text or text in _MISSING


def read_table(
    file: Path,
    columns: Sequence[str],
    dialect: Dialect | None = None,
    *,
    head: bool = True,
    remedy: str = "",
) -> Iterator[TableChunk]:
    """Yield chunks of a table of text, packed by gzip, bzip2, xz or zip or not.

    Blank lines, and lines that begin with ``#`` and a space, are no rows. Lines before the head
    that begin with ``#`` are comments too. A name may stand before a colon: ``user_id:token``.

    Args:
        file: where it lies.
        columns: the names of the wanted ones; without a head their numbers, from 0 on.
        dialect: how it is written.
        head: whether the first row has the columns' names.
        remedy: what to do if a column is not there, a sentence.

    Raises:
        DataError: the file can't be read, is no text, or lacks a column or has it twice.
    """
    dialect = dialect or Dialect()
    wanted = _WORDS.get(dialect.delimiter, dialect.delimiter) or ","
    if (len(wanted) > 1 and wanted != "::") or wanted in '"\r\n':
        raise DataError(
            f"Expected one character, tab, space or :: as a delimiter; received {wanted!r}.",
            "For example: --data delimiter=';'",
        )
    text = open_text(file, dialect.encoding, fallback=dialect.fallback, most=dialect.most)
    with text as stream:
        blocks = line_blocks(file, stream)
        first, line, wanted = _first_row(blocks, columns, wanted, head)
        find = _by_name if head else _by_number
        form = find(file, first[0] if first else "", columns, wanted, remedy)
        if head:
            first, line = first[1:], line + 1
        cutter = RowCutter(file, chain([first], blocks), form.delimiter, form.width, line)
        for block in cutter:
            yield _chunk(block, form, cutter.unfinished)


@dataclass(frozen=True)
class _Form:
    """What parts the cells, how many a row has, and the places of the wanted ones."""

    delimiter: str
    width: int
    places: list[int]


def _first_row(
    blocks: Iterator[list[str]], columns: Sequence[str], delimiter: str, head: bool
) -> tuple[list[str], int, str]:
    """Return the lines of a block from the first row on, its number, and the delimiter."""
    line = 1
    for block in blocks:
        for place, text in enumerate(block):
            if excel := _EXCEL.fullmatch(text):  # Excel's own first line
                delimiter = excel[1]
            elif text.startswith("#"):
                if _form_of(text, columns, delimiter) if head else text[:2] != "# ":
                    return block[place:], line, delimiter
            elif text.strip():
                return block[place:], line, delimiter
            line += 1
    return [], line, delimiter


def _form_of(head: str, columns: Sequence[str], delimiter: str) -> _Form | None:
    """Return the form in which a head has all columns; None if it has not.

    Raises:
        ValueError: it has a column twice; with its name.
    """
    for each in dict.fromkeys((delimiter, *_DELIMITERS)):
        cells = [cell.strip() for cell in split_line(head, each)]
        if cells and cells[0] not in columns:
            cells[0] = cells[0].removeprefix("#").strip()
        short = [cell.split(":")[0].strip() for cell in cells]
        known = [cells if name in cells else short for name in columns]
        if all(name in names for name, names in zip(columns, known, strict=True)):
            for name, names in zip(columns, known, strict=True):
                if names.count(name) > 1:
                    raise ValueError(name)
            places = [names.index(name) for name, names in zip(columns, known, strict=True)]
            return _Form(each, len(cells), places)
    return None


def _by_name(file: Path, first: str, columns: Sequence[str], delimiter: str, remedy: str) -> _Form:
    try:
        form = _form_of(first, columns, delimiter)
    except ValueError as twice:
        raise DataError(
            f"Expected one column {str(twice)!r} in {file}; it has several.",
            "Rename them in its first line.",
        ) from None
    if form is None:
        cells = [cell.strip() for cell in split_line(first, delimiter)]
        missing = next((name for name in columns if name not in cells), columns[0])
        raise DataError(
            f"Expected a column {missing!r} in {file}; it has "
            f"{', '.join(map(repr, cells))[:200] or 'no first line'}.",
            f"{_meant(missing, cells)} {remedy}".strip(),
        )
    return form


def _meant(name: str, cells: list[str]) -> str:
    same = [cell for cell in cells if cell.casefold() == name.casefold()]
    return f"Did you mean {same[0]!r}?" if same else suggestion(name, cells)


def _by_number(
    file: Path, first: str, columns: Sequence[str], delimiter: str, remedy: str
) -> _Form:
    places = [int(name) for name in columns]
    width = len(split_line(first, delimiter))
    if first and width <= max(places):
        other = next((d for d in _DELIMITERS if len(split_line(first, d)) > max(places)), "")
        if other:
            remedy = f"Name the delimiter: --data delimiter={_NAMES.get(other, repr(other))}"
        raise DataError(
            f"Expected {max(places) + 1} columns or more in {file}; parted by {delimiter!r} its "
            f"first row has {width}: {_shown(first)}.",
            remedy,
        )
    return _Form(delimiter, width, places)


def _chunk(block: RowBlock, form: _Form, unfinished: int) -> TableChunk:
    """Return the rows of a block cut to the wanted columns, and its malformed lines."""
    width, needed = form.width, max(form.places) + 1
    lines: Sequence[int] = block.lines
    malformed = [
        Malformed(line, OPEN_QUOTE, f"expected the end of a quoted cell; received {_shown(text)}")
        for line, text in block.unclosed
    ]
    rows = [row for row in block.rows if len(row) == width and any(row) and row[0][:2] != "# "]
    if len(rows) < len(block.rows):  # something is no row, or a row of another width
        rows, lines = [], []
        for row, line in zip(block.rows, block.lines, strict=True):
            if not any(cell.strip() for cell in row) or row[0] == "#" or row[0][:2] == "# ":
                continue
            surplus, least = row[width:], width if line == unfinished else needed
            if len(row) < least or any(surplus):
                text = f"expected {width} cells; received {len(row)}, "
                text += _shown(form.delimiter.join(row))
                malformed.append(Malformed(line, WIDTH, text))
            else:
                rows.append(row)
                lines.append(line)
    if len(form.places) == 1:
        (place,) = form.places
        return TableChunk([(row[place],) for row in rows], lines, malformed, block.doubtful)
    cells = itemgetter(*form.places)
    return TableChunk([cells(row) for row in rows], lines, malformed, block.doubtful)


def _shown(line: str) -> str:
    return repr(line.strip()[:_SHOWN])
