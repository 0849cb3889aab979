"""Lines of text cut into rows of cells; a quotation mark that never closes costs its own line."""

from __future__ import annotations

import csv
import io
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from genkit.errors import DataError

_BLOCK = 1 << 20  # characters that are cut at once
_LONGEST = 1 << 24  # characters of a line
_LONGEST_OF_LINES = 1 << 22  # of a row that goes over several lines
_MOST_AGAIN = 1 << 28  # characters of a file that may be cut a second time
_ROWS = 1 << 16
_limiting = threading.Lock()


@dataclass
class RowBlock:
    """Rows of some lines.

    Args:
        rows: cells; empty for a blank line.
        lines: where each row begins, from 1 on.
        unclosed: lines in which a quotation mark opens that isn't closed, with their text.
        doubtful: lines where a row begins whose other lines look like rows of their own.
    """

    rows: list[list[str]]
    lines: list[int] | range
    unclosed: list[tuple[int, str]] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)


def line_blocks(file: Path, stream: IO[str]) -> Iterator[list[str]]:
    """Yield the lines of a stream, about a megabyte at a time.

    Raises:
        DataError: a line of more than 16 million characters.
    """
    rest = ""
    while text := stream.read(_BLOCK):
        lines = io.StringIO(rest + text, newline="").readlines()
        rest = "" if lines[-1].endswith("\n") else lines.pop()
        if len(rest) > _LONGEST:
            raise DataError(f"Expected lines of at most {_LONGEST} characters in {file}.")
        if lines:
            yield lines
    if rest:
        yield io.StringIO(rest, newline="").readlines()


def split_line(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line; marks that aren't closed end with it."""
    with _long_fields():
        return _split(line, delimiter)


def _split(line: str, delimiter: str) -> list[str]:
    if len(delimiter) > 1:
        return line.rstrip("\r\n").split(delimiter)
    return next(csv.reader([line], delimiter=delimiter, quoting=_quoting(delimiter)), [])


class RowCutter:
    """Cuts lines into rows.

    A cell in quotation marks may have line breaks. Where a mark isn't closed, or is closed and
    followed by something else than a delimiter, its line alone is left out and the lines after it
    are rows again. Between tabs a quotation mark is a character like others.

    Args:
        file: for messages.
        blocks: the lines.
        delimiter: what parts the cells.
        width: cells of a row.
        line: number of the first line.
    """

    def __init__(
        self, file: Path, blocks: Iterator[list[str]], delimiter: str, width: int, line: int
    ) -> None:
        self._file, self._blocks, self._delimiter = file, blocks, delimiter
        self._width, self._line, self._again = width, line, 0
        self._end = line  # number of the line after those that were read
        self.unfinished = 0  # number of a last line without an end

    def __iter__(self) -> Iterator[RowBlock]:
        while (lines := self._next_lines()) is not None:
            rows = self._one_a_line(lines)
            if rows is not None:
                yield RowBlock(rows, range(self._line, self._line + len(rows)))
                self._line += len(lines)
                continue
            pending = deque(lines)
            while pending:
                with _long_fields():
                    block = self._one_by_one(pending)
                yield block

    def _next_lines(self) -> list[str] | None:
        lines = next(self._blocks, None)
        if lines:
            self._end += len(lines)
            if not lines[-1].endswith(("\n", "\r")):
                self.unfinished = self._end - 1
        return lines

    def _one_a_line(self, lines: list[str]) -> list[list[str]] | None:
        """Return the rows if each line is one, as nearly always."""
        if len(self._delimiter) > 1:
            return [line.rstrip("\r\n").split(self._delimiter) for line in lines]
        quoting = _quoting(self._delimiter)
        try:
            with _long_fields():
                rows = list(
                    csv.reader(lines, delimiter=self._delimiter, quoting=quoting, strict=True)
                )
        except csv.Error:
            return None
        return rows if len(rows) == len(lines) else None

    def _one_by_one(self, pending: deque[str]) -> RowBlock:
        """Take rows from the pending lines, and from those that come if a row needs them."""
        block = RowBlock([], lines := [])
        while pending and len(block.rows) < _ROWS:
            taken: list[str] = []
            row = self._next_row(pending, taken)
            if row is None:
                first, *others = taken
                self._again += sum(map(len, others))
                if self._again > _MOST_AGAIN:
                    raise DataError(
                        f"Expected quotation marks that close in {self._file}; many don't, "
                        f"as in line {self._line}.",
                        'Put a cell that has marks in marks, and double those inside: "a ""b"" c".',
                    )
                pending.extendleft(reversed(others))
                taken = [first]
                row = self._lenient(first)
            if row is None:
                block.unclosed.append((self._line, taken[0]))
            else:
                block.rows.append(row)
                lines.append(self._line)
                if len(taken) > 1 and self._looks_like_rows(taken[1:]):
                    block.doubtful.append(self._line)
            self._line += len(taken)
        return block

    def _next_row(self, pending: deque[str], taken: list[str]) -> list[str] | None:
        """Return the next row, with its lines in ``taken``; None if it is not well formed."""

        def lines() -> Iterator[str]:
            size = 0
            while pending or self._more(pending):
                taken.append(pending.popleft())
                size += len(taken[-1])
                if len(taken) > 1 and size > _LONGEST_OF_LINES:
                    return
                yield taken[-1]

        try:
            return next(csv.reader(lines(), delimiter=self._delimiter, strict=True))
        except csv.Error:
            return None

    def _more(self, pending: deque[str]) -> bool:
        pending.extend(self._next_lines() or ())
        return bool(pending)

    def _lenient(self, line: str) -> list[str] | None:
        """Return the cells of a line with marks inside its cells, if they come in pairs."""
        row = _split(line, self._delimiter)
        return row if len(row) == self._width and not line.count('"') % 2 else None

    def _looks_like_rows(self, lines: list[str]) -> bool:
        """Whether each line has the cells of a row; in prose a blank follows the delimiter."""
        for line in lines:
            cells = _split(line, self._delimiter)
            if len(cells) != self._width or any(cell[:1] == " " for cell in cells):
                return False
        return self._width > 1


def _quoting(delimiter: str) -> Literal[0, 3]:
    return csv.QUOTE_NONE if delimiter in "\t\x01" else csv.QUOTE_MINIMAL


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let ``csv`` read long cells inside the block; its limit is the whole process's."""
    with _limiting:
        before = csv.field_size_limit(_LONGEST)
        try:
            yield
        finally:
            csv.field_size_limit(before)
