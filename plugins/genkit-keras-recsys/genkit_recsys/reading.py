"""Files of interactions, read as a stream: rows come and go, columns of numbers stay."""

from __future__ import annotations

import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genkit.data.tables import OPEN_QUOTE, WIDTH, Dialect, TableChunk, is_missing
from genkit.errors import DataError
from genkit_recsys.events import Events, Reading
from genkit_recsys.left_out import LeftOut
from genkit_recsys.table_files import place_in, table_chunks
from genkit_recsys.times import is_iso, read_times

_MOST_MALFORMED = 0.5
_LARGEST = float(np.finfo(np.float32).max)
NOBODY = "no user or no item"
_NAMES = "Name its columns: --data user_column=... --data item_column=..."
_REMEDIES = {
    WIDTH: "Put a cell that has the delimiter inside in quotation marks, or name another "
    "delimiter: --data delimiter=';'",
    OPEN_QUOTE: "Close it, or double the marks inside a cell.",
    "no number": "Write it with a decimal point, and see that the column is the right one.",
    "no time": "Write times as 2020-01-31T10:15:00Z, or as numbers such as seconds since 1970.",
}


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
        dialect: how files of text are written.
    """

    def __init__(self, columns: Columns, dialect: Dialect | None = None) -> None:
        self._columns, self._dialect = columns, dialect
        self._users: dict[str, int] = {}
        self._items: dict[str, int] = {}
        self._numbers = [array.array(code) for code in "iifdb"]
        self._left_out = LeftOut()
        self._iso: bool | None = None  # the form of the file's times, once it is known

    def read(self, file: Path, part: int = 0) -> None:
        """Read a file, of the forms that ``table_chunks`` knows.

        Times are numbers, or all in ISO 8601: then they become seconds since 1970, of UTC where
        they name no zone.

        Args:
            file: where it lies.
            part: 0 for training, 1 for validation, 2 for test.

        Raises:
            DataError: it can't be read, lacks a column, or is malformed for the most part.
        """
        left_out, self._iso = LeftOut(), None
        for chunk in table_chunks(file, self._columns.names, self._dialect):
            left_out.take(chunk, place := f"{file.name} {place_in(file)}")
            self._take(chunk, place, part, left_out)
        if len(left_out) > _MOST_MALFORMED * left_out.rows:
            reason, count = left_out.reasons.most_common(1)[0]
            raise DataError(
                f"Expected {file} with columns {', '.join(self._columns.names)}; {len(left_out)} "
                f"of its {left_out.rows} rows are malformed, {count} with {reason}. "
                f"{left_out.first[reason]}.",
                _REMEDIES.get(reason.split(" as ")[0], _NAMES),
            )
        self._left_out.merge(left_out)

    def events(self) -> Events:
        """Return all that was read.

        Raises:
            DataError: no rows.
        """
        if not len(self._numbers[0]):
            raise DataError(
                f"Expected interactions; received {self._left_out.rows} rows, "
                f"{len(self._left_out)} of them malformed."
            )
        user, item, rating, time, part = (
            np.frombuffer(column, dtype)
            for column, dtype in zip(
                self._numbers, (np.int32, np.int32, np.float32, np.float64, np.int8), strict=True
            )
        )
        names = tuple(self._users), tuple(self._items)
        left_out, timed = self._left_out, bool(self._columns.time)
        notes = [*left_out.sentences(), *_of_a_head(*names)]
        reading = Reading(left_out.rows, len(left_out), dict(left_out.reasons), tuple(notes))
        return Events(user, item, rating, time, part, *names, reading, timed)

    def _take(self, chunk: TableChunk, place: str, part: int, left_out: LeftOut) -> None:
        """Take in a chunk of rows; wrong ones are counted."""
        if self._columns.time and self._iso is None:  # the first that is a time shows the form
            forms = (is_iso(row[-1]) for row in chunk.rows)
            self._iso = next((form for form in forms if form is not None), None)
        columns = self._parsed(chunk.rows)
        if columns is None:  # something is wrong somewhere: row by row
            good = []
            for row, line in zip(chunk.rows, chunk.lines, strict=True):
                reason, expected = self._fault(row)
                if reason:
                    left_out.add(reason, f"{place} {line}: {expected}")
                else:
                    good.append(row)
            columns = self._parsed(good)
            assert columns is not None, "each row was found well formed"
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

    def _parsed(self, rows: Sequence[Sequence[str]]) -> tuple[Any, Any, Any, Any] | None:
        """Return the columns of rows that are all well formed; None if one isn't."""
        if not rows:
            return (), (), np.zeros(0, np.float32), np.zeros(0)
        users, items, *rest = zip(*rows, strict=True)
        if _any_missing(users, self._users) or _any_missing(items, self._items):
            return None
        rating, time = np.ones(len(rows)), np.zeros(len(rows))
        if self._columns.rating:
            try:
                rating = np.array(rest.pop(0), np.float64)
            except ValueError:
                return None
            if not (np.abs(rating) <= _LARGEST).all():
                return None
        if self._columns.time:
            read = read_times(rest[0], bool(self._iso))
            if read is None:
                return None
            time = read
        return users, items, rating.astype(np.float32), time

    def _fault(self, row: Sequence[str]) -> tuple[str, str]:
        """Return why a row is malformed and what was expected; nothing if it is well formed."""
        user, item, *rest = row
        if is_missing(user) or is_missing(item):
            return NOBODY, f"expected a user and an item; received {','.join(row)[:80]!r}"
        if self._columns.rating and not _is_rating(text := rest.pop(0)):
            return f"no number as {self._columns.rating}", (
                f"expected a number as {self._columns.rating}; received {text[:40]!r}"
            )
        if self._columns.time and ((form := is_iso(rest[0])) is None or form != self._iso):
            kind = {True: "a time such as 2020-01-31", False: "a number", None: "a time"}[self._iso]
            return f"no time as {self._columns.time}", (
                f"expected {kind} as {self._columns.time}; received {rest[0][:40]!r}"
            )
        return "", ""


def _of_a_head(users: Sequence[str], items: Sequence[str]) -> Iterator[str]:
    """Yield a sentence if the first user and item alone are no numbers."""
    if all(len(ids) > 1 and not ids[0].isdigit() for ids in (users, items)) and all(
        each.isdigit() for ids in (users, items) for each in ids[1:]
    ):
        yield (
            f"The first user, {users[0]!r}, and the first item, {items[0]!r}, look like the "
            "head of the file; if they are, name the columns instead of numbering them."
        )


def _any_missing(column: Sequence[str], known: Mapping[str, int]) -> bool:
    return any(is_missing(name) for name in set(column).difference(known))


def _is_rating(text: str) -> bool:
    try:
        return abs(float(text)) <= _LARGEST
    except ValueError:
        return False
