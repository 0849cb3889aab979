"""Generated rows as frames: of the kind, with the columns and dtypes, that came in."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from genkit_tabular.parsing import parse

if TYPE_CHECKING:
    from genkit_tabular.columns import Column, Table
    from genkit_tabular.learned import Learned


def frame_of(
    table: Table, learned: Sequence[Learned], batches: Sequence[Mapping[str, np.ndarray]]
) -> Any:
    """Return rows as a frame.

    Args:
        table: says what the rows came in.
        learned: the columns that the model learns, with the names of their categories.
        batches: rows as the model presents them.

    Returns:
        a frame of pandas or Polars, or else a table of Arrow.
    """
    classes = {each.name: each.classes for each in learned}
    columns = {}
    for column in table.columns:
        parts = [batch[column.name] for batch in batches]
        values = np.concatenate([np.ma.getdata(part) for part in parts])
        absent = np.concatenate([np.ma.getmaskarray(part) for part in parts])
        columns[column.name] = _arrow(column, values, absent, classes.get(column.name, ()))
    if table.frame == "pandas":
        return _pandas(table, columns)
    if table.frame == "polars":
        return _polars(table, columns)
    typed = {name: _as_stored(table[name], array) for name, array in columns.items()}
    return pa.table(typed)


def _arrow(
    column: Column, values: np.ndarray, absent: np.ndarray, classes: Sequence[str]
) -> pa.Array:
    """Return a column of Arrow; categories as a dictionary of all their names."""
    if column.is_named:
        places = {name: number for number, name in enumerate(classes)}
        numbers = [None if a else places[v] for v, a in zip(values, absent, strict=True)]
        return pa.DictionaryArray.from_arrays(
            pa.array(numbers, pa.int32()), _names(column, classes), ordered=column.kind == "ordered"
        )
    if column.is_written and column.kind != "id":
        there, _ = parse(column, list(values[~absent]))
        dtype = f"{there.dtype.str[1:2]}8[{column.unit}]"
        moved = np.zeros(len(values), dtype)
        moved[~absent] = there
        values = moved
    made = pa.array(values, mask=absent)
    if column.kind == "datetime" and column.zone:
        zone = "UTC" if column.zone == "Z" else column.zone
        return made.cast(pa.timestamp(column.unit, zone))
    return made


def _names(column: Column, classes: Sequence[str]) -> pa.Array:
    """Return the names of categories, of the type that they were stored as."""
    names = pa.array(list(classes), pa.string())
    stored = re.fullmatch(r"category of (.*)|dictionary<values=(.*), indices=.*", column.dtype)
    kind = _type(stored[1] or stored[2]) if stored else None
    return names if kind is None else names.cast(kind)


def _as_stored(column: Column, array: pa.Array) -> pa.Array:
    """Return a column in Arrow's own type that it was stored as, if that is known."""
    kind = _type(column.dtype)
    if kind == pa.null():
        return pa.nulls(len(array))
    if kind is None and column.dtype.startswith("dictionary<"):
        return array
    if kind is None and column.is_named:
        kind = pa.string()
    return array if kind is None else array.cast(kind)


def _type(name: str) -> pa.DataType | None:
    """Return the type of Arrow that has a name; None where it isn't known."""
    if decimal := re.fullmatch(r"decimal(128|256)\((\d+), (-?\d+)\)", name):
        make = pa.decimal128 if decimal[1] == "128" else pa.decimal256
        return make(int(decimal[2]), int(decimal[3]))
    if name.startswith("timestamp["):
        unit, _, zone = name[10:-1].partition(", tz=")
        return pa.timestamp(unit, zone or None)
    return _TYPES.get(name)


_TYPES = {
    str(kind): kind
    for kind in (
        pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
        pa.uint64(), pa.null(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.string(),
        pa.large_string(), pa.date32(), pa.date64(), pa.duration("s"), pa.duration("ms"),
        pa.duration("us"), pa.duration("ns"),
    )
}  # fmt: skip


def _pandas(table: Table, columns: Mapping[str, pa.Array]) -> Any:
    import pandas as pd

    made = {}
    for column in table.columns:
        array = columns[column.name]
        dtype, _, held = column.dtype.partition(" of ")
        if dtype == "category":
            made[column.name] = array.to_pandas()
            continue
        if held:
            array = array.cast(_type(held))
        if column.is_named:
            array = array.cast(pa.string())
        whole = column.kind in ("number", "id") and not column.is_text_id and not column.digits
        if array.null_count and (whole or column.kind == "boolean"):
            # Through a float, large whole numbers would be others.
            via = "boolean" if column.kind == "boolean" else "Int64"
            held = pd.array(array.to_pylist(), dtype=via)
        else:
            held = array.to_pandas()
        made[column.name] = pd.Series(held).astype(dtype)
    labels = table.labels or {}
    frame = pd.DataFrame(made)
    return frame.rename(columns=dict(labels)) if labels else frame


def _polars(table: Table, columns: Mapping[str, pa.Array]) -> Any:
    import polars as pl

    frame = pl.from_arrow(pa.table(dict(columns)))
    kinds = {str(kind): kind for kind in _polars_types(pl)}
    for column in table.columns:
        if column.is_named and column.dtype == "String":
            frame = frame.with_columns(pl.col(column.name).cast(pl.String))
        elif (kind := kinds.get(column.dtype) or _polars_type(pl, column.dtype)) is not None:
            frame = frame.with_columns(pl.col(column.name).cast(kind))
    return frame


def _polars_type(pl: Any, name: str) -> Any:
    """Return a type of Polars by its name, if it is one with settings."""
    if decimal := re.fullmatch(r"Decimal\(precision=(\d+), scale=(\d+)\)", name):
        return pl.Decimal(int(decimal[1]), int(decimal[2]))
    if names := re.fullmatch(r"Enum\(categories=(\[.*\])\)", name, re.DOTALL):
        return pl.Enum(ast.literal_eval(names[1]))
    return None


def _polars_types(pl: Any) -> list[Any]:
    return [
        pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64,
        pl.Float32, pl.Float64, pl.Boolean, pl.Date, pl.Categorical, pl.Null,
    ]  # fmt: skip
