"""Files of interactions, read as a stream: rows come and go, columns of numbers stay."""

from __future__ import annotations

import array
import csv
import io
import lzma
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np

from genkit.errors import DataError
from genkit_recsys.events import Events, Reading

_CHUNK = 1 << 16
_SHOWN = 5
_DELIMITERS = {".tsv": "\t", ".data": "\t", ".inter": "\t", ".item": "\t", ".user": "\t"}
_MOST_MALFORMED = 0.5
_LONGEST = 1 << 24  # characters of a field
_limiting = threading.Lock()


@dataclass(frozen=True)
class Columns:
    """Which columns of a file hold what.

    Args:
        user: name, or a number from 0 on for a file without a head.
        item: of the item.
        rating: of the rating; empty for data without.
        time: of the time; empty for data without.
    """

    user: str = "user_id"
    item: str = "item_id"
    rating: str = ""
    time: str = ""

    @property
    def names(self) -> list[str]:
        return [name for name in (self.user, self.item, self.rating, self.time) if name]


class EventReader:
    """Takes in rows of strings, a chunk at a time; ids become numbers as they are met.

    Args:
        columns: which are read.
    """

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._numbers = [array.array(code) for code in "iifdb"]
        self._rows = self._malformed = 0
        self._shown: list[str] = []

    def read(self, file: Path, part: int = 0) -> None:
        """Read a file: CSV, TSV, RecBole's atomic files or Parquet, by its suffix.

        Args:
            file: where it lies.
            part: 0 for training, 1 for validation, 2 for test.

        Raises:
            DataError: it can't be read, lacks a column, or is malformed for the most part.
        """
        before = self._rows, self._malformed
        for chunk, first in table_chunks(file, self._columns.names):
            self._take(chunk, file.name, first, part)
        rows, malformed = self._rows - before[0], self._malformed - before[1]
        if rows and malformed > _MOST_MALFORMED * rows:
            raise DataError(
                f"Expected {file} with columns {', '.join(self._columns.names)}; {malformed} of "
                f"its {rows} rows are malformed, first {self._shown[0]}.",
                "Name its columns: --data user_column=... item_column=..., and see its delimiter.",
            )

    def events(self) -> Events:
        """Return all that was read.

        Raises:
            DataError: no rows.
        """
        if not len(self._numbers[0]):
            raise DataError(
                f"Expected interactions; received {self._rows} rows, {self._malformed} of them "
                "malformed."
            )
        user, item, rating, time, part = (
            np.frombuffer(column, dtype)
            for column, dtype in zip(
                self._numbers, (np.int32, np.int32, np.float32, np.float64, np.int8), strict=True
            )
        )
        reading = Reading(self._rows, self._malformed, tuple(self._shown))
        timed = bool(self._columns.time)
        names = tuple(self._users), tuple(self._items)
        return Events(user, item, rating, time, part, *names, reading, timed)

    def _take(self, chunk: list[Sequence[str]], name: str, first: int, part: int) -> None:
        """Take in a chunk of rows as wide as the columns; wrong ones are counted."""
        self._rows += len(chunk)
        columns = self._parsed(chunk)
        if columns is None:  # something is wrong somewhere: row by row
            good = []
            for place, row in enumerate(chunk):
                fault = self._fault(row)
                if fault:
                    self._note(f"{name} row {first + place}: {fault}")
                else:
                    good.append(row)
            columns = self._parsed(good) if good else None
        if columns is None:
            return
        users, items, rating, time = columns
        for column, names, numbers in (
            (users, self._users, self._numbers[0]),
            (items, self._items, self._numbers[1]),
        ):
            known = (names.setdefault(each, len(names)) for each in column)
            numbers.frombytes(np.fromiter(known, np.int32, len(column)).tobytes())
        self._numbers[2].frombytes(rating.tobytes())
        self._numbers[3].frombytes(time.tobytes())
        self._numbers[4].frombytes(np.full(len(users), part, np.int8).tobytes())

    def _parsed(self, rows: list[Sequence[str]]) -> tuple[Any, Any, Any, Any] | None:
        """Return the columns of rows that are all well formed; None if one isn't."""
        width = len(self._columns.names)
        if any(len(row) != width for row in rows):
            return None
        columns = list(zip(*rows, strict=True))
        users, items, *rest = columns
        if not (all(users) and all(items)):
            return None
        try:
            numbers = [np.array(column, np.float64) for column in rest]
        except ValueError:
            return None
        if not all(np.isfinite(column).all() for column in numbers):
            return None
        rating = numbers.pop(0) if self._columns.rating else np.ones(len(rows))
        time = numbers.pop(0) if self._columns.time else np.zeros(len(rows))
        return users, items, rating.astype(np.float32), time

    def _fault(self, row: Sequence[str]) -> str:
        """Return what is wrong with a row; nothing if it is well formed."""
        names = self._columns.names
        if len(row) != len(names):
            return f"expected {', '.join(names)}; received {_short(row)}"
        if not (row[0] and row[1]):
            return f"expected a user and an item; received {_short(row)}"
        for name, text in zip(names[2:], row[2:], strict=True):
            try:
                fine = np.isfinite(float(text))
            except ValueError:
                fine = False
            if not fine:
                return f"expected a number as {name}; received {text[:40]!r}"
        return ""

    def _note(self, fault: str) -> None:
        self._malformed += 1
        if len(self._shown) < _SHOWN:
            self._shown.append(fault)


def table_chunks(file: Path, names: list[str]) -> Iterator[tuple[list[Sequence[str]], int]]:
    """Yield chunks of a table's rows, cut to some columns, and the number of their first row.

    A row that lacks columns comes as it is; rows count from 1, the head not counted.

    Raises:
        DataError: the file can't be read, or lacks a column.
    """
    try:
        if file.suffix == ".parquet":
            yield from _parquet_chunks(file, names)
        else:
            with _opened(file) as stream:
                yield from _text_chunks(file, stream, names)
    except (OSError, UnicodeDecodeError, lzma.LZMAError, csv.Error) as error:
        raise DataError(f"The file {file} can't be read: {error}.") from error


@contextmanager
def _opened(file: Path) -> Iterator[IO[str]]:
    if file.suffix == ".xz":
        with lzma.open(file, "rt", encoding="utf-8", newline="") as stream:
            yield stream
        return
    with file.open("rb") as raw:  # MovieLens' older files are in Latin-1
        head = raw.read(1 << 20)
        raw.seek(0)
        encoding = "utf-8-sig"
        if file.suffix in (".dat", ".item"):
            try:
                head.decode()
            except UnicodeDecodeError as error:
                if error.end < len(head) - 3:
                    encoding = "latin-1"
        with io.TextIOWrapper(raw, encoding, newline="") as stream:
            yield stream


def _text_chunks(
    file: Path, stream: Iterable[str], names: list[str]
) -> Iterator[tuple[list[Sequence[str]], int]]:
    suffix = file.with_suffix("").suffix if file.suffix == ".xz" else file.suffix
    if suffix == ".dat":  # MovieLens: columns are parted by two colons
        rows: Iterator[list[str]] = (line.rstrip("\r\n").split("::") for line in stream)
    else:
        delimiter = _DELIMITERS.get(suffix, ",")
        if delimiter == ",":
            rows = csv.reader(stream)
        else:  # there a quotation mark is a character like others
            rows = csv.reader(stream, delimiter=delimiter, quoting=csv.QUOTE_NONE)
    if all(name.isdigit() for name in names):
        places = [int(name) for name in names]
    else:
        with _long_fields():
            first_row = next(rows, [])
        head = [cell.split(":")[0].strip() for cell in first_row]  # atomic files: name:type
        places = [_place(file, head, name) for name in names]
    width = max(places) + 1
    first = 1
    filled = (row for row in rows if row)
    while chunk := _next_chunk(filled):
        cut = [[row[p] for p in places] if len(row) >= width else row[:1] for row in chunk]
        yield cut, first  # type: ignore[misc]
        first += len(chunk)


def _next_chunk(rows: Iterator[list[str]]) -> list[list[str]]:
    with _long_fields():
        return list(islice(rows, _CHUNK))


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let ``csv`` read long fields inside the block; its limit is the whole process's."""
    with _limiting:
        before = csv.field_size_limit(_LONGEST)
        try:
            yield
        finally:
            csv.field_size_limit(before)


def _place(file: Path, head: list[str], name: str) -> int:
    if name in head:
        return head.index(name)
    raise DataError(
        f"Expected a column {name!r} in {file}; it has {', '.join(head)[:200]}.",
        "Name its columns: --data user_column=... --data item_column=...",
    )


def _parquet_chunks(file: Path, names: list[str]) -> Iterator[tuple[list[Sequence[str]], int]]:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise DataError(
            "Expected pyarrow, which reads Parquet; it is not installed.",
            "Install it with: pip install 'genkit-keras-recsys[parquet]'",
        ) from error
    try:
        table = parquet.ParquetFile(file)
        for name in names:
            _place(file, list(table.schema_arrow.names), name)
        first = 1
        for batch in table.iter_batches(_CHUNK, columns=names):
            columns = [_as_text(batch.column(name).to_pylist()) for name in names]
            rows: list[Sequence[str]] = list(zip(*columns, strict=True))
            yield rows, first
            first += len(rows)
    except ArrowException as error:
        raise DataError(f"The file {file} can't be read: {error}.") from error


def _as_text(values: list[Any]) -> list[str]:
    return [
        "" if v is None else str(v.timestamp()) if hasattr(v, "timestamp") else str(v)
        for v in values
    ]


def _short(row: Sequence[str]) -> str:
    return repr(",".join(row))[:80]
