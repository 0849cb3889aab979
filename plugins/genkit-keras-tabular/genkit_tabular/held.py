"""The rows of a column, read as keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as kinds
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.columns import Column
from genkit_tabular.ids import free_of
from genkit_tabular.inferring import check_finite, pattern_of
from genkit_tabular.keys import keys_of, places_in, steps_of, values_of
from genkit_tabular.parsing import guess, parse, written
from genkit_tabular.raw import RawTable


@dataclass(frozen=True)
class HeldColumn:
    """A column with its rows.

    Args:
        column: what it is.
        keys: of each row, anything where the value is missing; of ids the ids themselves.
        absent: which rows have no value.
        classes: names of categories, in order of their numbers.
    """

    column: Column
    keys: NDArray[Any]
    absent: NDArray[np.bool_]
    classes: tuple[str, ...] = ()

    def values(self, rows: NDArray[np.integer]) -> NDArray[Any]:
        """Return the values of some rows in the dtype of their field, zeros where there is none."""
        keys, absent = self.keys[rows], self.absent[rows]
        if self.column.kind == "id":
            return np.where(absent, "" if self.column.is_text_id else 0, keys)
        values = values_of(self.column, np.where(absent, 0, keys))
        if self.column.is_written:
            return np.where(absent, "", written(self.column, values))
        return np.where(absent, np.zeros((), values.dtype), values)


def hold(raw: RawTable, column: Column, order: Sequence[str] = ()) -> HeldColumn:
    """Read a column's rows as keys.

    Args:
        raw: the table.
        column: what the column is.
        order: names of its categories, in order of their numbers; by default the most frequent
            first.

    Raises:
        DataError: the table has no such column, or it has values of another kind.
    """
    if column.name not in raw.columns:
        raise DataError(
            f"Expected a column {column.name!r}; the table has {', '.join(raw.columns)}."
        )
    rows = raw.columns[column.name].combine_chunks()
    absent = rows.is_null().to_numpy(zero_copy_only=False)
    column = replace(column, missing=column.missing or bool(absent.any()))
    if column.kind == "id":
        return _hold_ids(raw, column, rows, absent)
    if column.is_named:
        return _hold_names(column, rows, absent, order)
    values = _values(raw, column, rows, absent)
    there = values[~absent]
    if not column.is_float and column.kind != "boolean":
        base, step = steps_of(keys_of(replace(column, base=0, step=1), there))
        column = replace(column, base=base, step=step)
    keys = np.zeros(len(values), np.int64)
    keys[~absent] = keys_of(column, there)
    return HeldColumn(column, keys, absent)


def _hold_ids(
    raw: RawTable, column: Column, rows: pa.Array, absent: NDArray[np.bool_]
) -> HeldColumn:
    """Read ids; how they go on is found here where a description doesn't say it."""
    texts = rows.cast(pa.string()) if kinds.is_dictionary(rows.type) else rows
    if kinds.is_string(texts.type) or kinds.is_large_string(texts.type):
        there = texts.drop_null().to_pylist()
        if not column.pattern and guess(column.name, there or ["0"]) is None:
            column = replace(column, pattern=pattern_of(there))
        if column.is_text_id:
            first, room = free_of(column.pattern, there)
            column = replace(column, first=first, room=room)
            return HeldColumn(column, np.array(texts.fill_null("").to_pylist(), object), absent)
    values = _values(raw, column, rows, absent).astype(np.int64)
    most = int(values[~absent].max(initial=0))
    return HeldColumn(replace(column, first=column.first or most + 1), values, absent)


def _hold_names(
    column: Column, rows: pa.Array, absent: NDArray[np.bool_], order: Sequence[str]
) -> HeldColumn:
    coded = rows if kinds.is_dictionary(rows.type) else rows.dictionary_encode()
    names = [str(each) for each in coded.dictionary.to_pylist()]
    numbers = coded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    if column.kind == "ordered" and not order and kinds.is_dictionary(rows.type):
        order = names
    counts = np.bincount(numbers[~absent], minlength=len(names))
    known = [name for name, count in zip(names, counts, strict=True) if count]
    if strange := [name for name in known if order and name not in order]:
        raise DataError(
            f"Expected the order of {column.name!r} to name all of its values; {strange[0]!r} is "
            "not among them."
        )
    by_count = dict(zip(names, counts.tolist(), strict=True))
    classes = tuple(order) or tuple(sorted(known, key=lambda name: (-by_count[name], name)))
    place = places_in(classes)
    renumbered = np.array([place.get(name, 0) for name in names] or [0], np.int64)
    return HeldColumn(column, renumbered[numbers], absent, classes)


def _values(
    raw: RawTable, column: Column, rows: pa.Array, absent: NDArray[np.bool_]
) -> NDArray[Any]:
    """Return a column's values as NumPy has them, anything where there is none."""
    if absent.all():
        return np.zeros(len(rows), np.float64 if column.digits else np.int64)
    if raw.is_text or kinds.is_string(rows.type) or kinds.is_large_string(rows.type):
        coded = rows.dictionary_encode()
        texts = coded.dictionary.to_pylist()
        read = replace(column, kind="number") if column.kind == "id" else column
        values, wrong = parse(read, texts)
        if wrong.any():
            raise DataError(
                f"Expected each cell of {column.name!r} as a {column.kind}; {int(wrong.sum())} "
                f"different ones are none, first {texts[int(wrong.argmax())]!r}.",
                "Name what stands for nothing, --data missing=..., or another kind in table.toml.",
            )
        return values[coded.indices.fill_null(0).to_numpy(zero_copy_only=False)]
    if kinds.is_decimal(rows.type):
        rows = _floats(column.name, rows)
    if kinds.is_timestamp(rows.type) and rows.type.tz:
        rows = rows.cast(pa.timestamp(rows.type.unit))  # instants, as they are stored
    try:
        there = rows.drop_null().to_numpy(zero_copy_only=False)
        there = check_finite(column.name, there) if there.dtype.kind == "f" else there
        if there.dtype.kind == "u":
            there = pa.array(there).cast(pa.int64()).to_numpy()
    except pa.ArrowInvalid as error:
        raise DataError(
            f"Expected numbers below 2**63 in {column.name!r}; received larger ones."
        ) from error
    values = np.zeros(len(absent), there.dtype)
    values[~absent] = there
    return values


def _floats(name: str, rows: pa.Array) -> pa.Array:
    """Return decimals as floats that have all of their digits."""
    floats = rows.cast(pa.float64())
    largest = float(np.abs(floats.drop_null().to_numpy()).max(initial=0)) * 10.0**rows.type.scale
    if largest >= 2.0**53:
        raise DataError(f"Expected decimals of at most 15 digits in {name!r}; some are longer.")
    return floats
