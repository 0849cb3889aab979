"""Rows of tables that may hold anything: JSON Lines, Parquet and CSV, faults told by row."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from genkit.errors import DataError

TABLES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet", ".csv": "csv"}
"""What a file is, by how its name ends."""

_LONGEST_LINE = 64 << 20
_NO_BYTES = {chr(number) for number in range(0xDC80, 0xDD00)}  # of bytes that are no UTF-8


class NoTextError(Exception):
    """A text can't be used; the message is the reason, the same for the same fault."""


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Args:
        name: which it is: ``"line 3"``.
        cells: gives them by column; it raises ``NoTextError`` where there are none.
    """

    name: str
    cells: Callable[[], Mapping[str, Any]]

    def text(self, column: str) -> str:
        """Return the text of a cell.

        Raises:
            NoTextError: it is none, or can't be used.
        """
        found = self.cells().get(column)
        if not isinstance(found, str):
            raise NoTextError(f"no text in {column!r}")
        try:
            found.encode()
        except UnicodeEncodeError:
            raise NoTextError("half of a character") from None
        return checked(found)


def checked(text: str) -> str:
    """Return a text, unless it holds NUL, as binary files do.

    Raises:
        NoTextError: it does.
    """
    if "\0" in text:
        raise NoTextError("NUL, so no text")
    return text


def rows_of(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """Go through the rows of a table in their order, one in memory at a time.

    Args:
        path: a ``.jsonl``, ``.ndjson``, ``.parquet`` or ``.csv`` file.
        columns: those that are wanted.

    Raises:
        DataError: it can't be read, isn't what its name says, or lacks a column.
    """
    kind = TABLES.get(path.suffix.lower())
    readers = {"jsonl": _of_lines, "parquet": _of_parquet, "csv": _of_csv}
    if kind is None:
        raise DataError(
            f"Expected a table of the kind {', '.join(TABLES)}; received {path}.",
            'JSON Lines has a row a line: {"' + '": "...", "'.join(columns) + '": "..."}',
        )
    try:
        yield from readers[kind](path, columns)
    except OSError as error:
        raise DataError(f"The file {path} can't be read: {error.strerror}.") from error


def _of_lines(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with path.open("rb") as stream:
        number = 0
        while line := stream.readline(_LONGEST_LINE + 1):
            number += 1
            if len(line) > _LONGEST_LINE:
                raise DataError(
                    f"Expected lines of at most {_LONGEST_LINE >> 20} MiB in {path}; "
                    f"line {number} is longer.",
                    'Each line is a row: {"' + columns[0] + '": "..."}',
                )
            if line.strip():
                yield Row(f"line {number}", partial(_of_line, line))


def _of_line(line: bytes) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except UnicodeDecodeError:
        raise NoTextError("no UTF-8") from None
    except (ValueError, RecursionError):
        raise NoTextError("no JSON") from None
    return row if isinstance(row, dict) else {}


def _of_csv(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as stream:
        rows = csv.reader(stream, strict=True)
        try:
            head = next(rows, [])
            _check_columns(path, head, columns)
            for cells in rows:
                if cells:
                    yield Row(f"line {rows.line_num}", partial(_of_cells, head, cells))
        except csv.Error as error:
            raise DataError(
                f"Expected a table at {path}; line {rows.line_num}: {error}.",
                "A cell with commas, marks or line breaks stands in quotation marks.",
            ) from error


def _of_cells(head: Sequence[str], cells: Sequence[str]) -> Mapping[str, Any]:
    if len(cells) != len(head):
        raise NoTextError("another number of cells")
    if any(not _NO_BYTES.isdisjoint(cell) for cell in cells):
        raise NoTextError("no UTF-8")
    return dict(zip(head, cells, strict=True))


def _of_parquet(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise DataError(
            f"Expected pyarrow to read {path}; it is not installed.",
            "Install it with: pip install 'pyarrow>=16'",
        ) from error
    try:
        table = parquet.ParquetFile(path)
        _check_columns(path, table.schema_arrow.names, columns)
        number = 0
        for batch in table.iter_batches(batch_size=64, columns=list(columns)):
            for place in range(batch.num_rows):
                number += 1
                yield Row(f"row {number}", partial(_of_batch, batch, place))
    except pa.ArrowException as error:
        reason = " ".join(f"{error}".split())[:160]
        raise DataError(f"Expected a Parquet file at {path}: {reason}") from error


def _of_batch(batch: Any, place: int) -> Mapping[str, Any]:
    try:
        return {name: batch.column(name)[place].as_py() for name in batch.schema.names}
    except UnicodeDecodeError:
        raise NoTextError("no UTF-8") from None


def _check_columns(path: Path, names: Sequence[str], columns: Sequence[str]) -> None:
    for column in columns:
        if column not in names:
            raise DataError(
                f"Expected a column {column!r} in {path}; it has {', '.join(names[:12])}.",
                "Name the one that is meant: --data column=NAME, and of a table of prompts "
                "--data prompt=NAME and --data answer=NAME",
            )
