"""The columns of a table as a source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.axes import check_axes
from genkit.data.columns import ColumnSource
from genkit.data.source import ArraySource, Source
from genkit.data.values import convert
from genkit.errors import DataError
from genkit.plugins.specs import Field, Schema

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        values: one for each row that has one; of categories their numbers.
        missing: which rows have none, shape ``(rows,)``; None where each has one.
        classes: names of the categories by number; None for a column of other values.
    """

    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None
    classes: tuple[str, ...] | None = None

    @classmethod
    def of_names(cls, names: Any, missing: NDArray[np.bool_] | None = None) -> Column:
        """Number categories by their names, in alphabetical order."""
        classes, numbers = np.unique(np.asarray(names, str), return_inverse=True)
        return cls(numbers, missing, tuple(map(str, classes)))


def table_source(columns: Mapping[str, Column]) -> Source:
    """Return a source with a field a column.

    Categories and booleans become labels with their names, integers numbers of 32 or 64 bits, other
    numbers float32; text and dates stay what they are; a column of lists of one length becomes a
    vector. A field says where values are missing.

    Raises:
        DataError: a column without any value, or of a kind that no field has.
    """
    if not columns:
        raise DataError("Expected a table with columns; received none.")
    arrays, fields = {}, {}
    for name, column in columns.items():
        if not len(column.values):
            raise DataError(f"Expected a value in some row of {name!r}; none has one.")
        values, field = _field_of(name, column)
        if column.missing is not None and column.missing.any():
            field = replace(field, missing=True)
            values = _spread(values, column.missing)
        arrays[name], fields[name] = values, field
    if any(field.missing or field.dtype[-1] == "]" for field in fields.values()):
        return ColumnSource(arrays, Schema(fields))
    return ArraySource(arrays, Schema(fields))


def _spread(values: NDArray[Any], missing: NDArray[np.bool_]) -> NDArray[Any]:
    """Return the values at their rows, masked where there is none."""
    spread = np.zeros((len(missing), *values.shape[1:]), values.dtype)
    spread[~missing] = values
    masked = missing.reshape(-1, *(1 for _ in values.shape[1:]))
    return np.ma.masked_array(spread, np.broadcast_to(masked, spread.shape))


def _field_of(name: str, column: Column) -> tuple[NDArray[Any], Field]:
    values = _plain(name, column.values)
    classes = ("False", "True") if values.dtype.kind == "b" else column.classes
    if classes is not None:
        return values.astype(np.int32), Field((), "int32", "label", classes=classes)
    if values.ndim != 1 or values.dtype.kind in "OUT":
        if values.ndim == 4:  # noqa: PLR2004
            check_axes(name, values.shape, "")
        return convert(name, values)
    if values.dtype.kind in "ui":
        low, high = int(values.min()), int(values.max())
        small = low >= -(1 << 31) and high < 1 << 31
        dtype = "int32" if small else "int64"
        return values.astype(dtype), Field((), dtype, "number", (low, high))
    if values.dtype.kind in "mM":
        low, high = values.min().astype(int).item(), values.max().astype(int).item()
        kind = "date" if values.dtype.kind == "M" else "duration"
        return values, Field((), str(values.dtype), kind, (low, high))
    if values.dtype.kind == "f" and (low := values.min()) == values.max():
        return values.astype(np.float32), Field((), "float32", "number", (low, low))
    return convert(name, values)


def _plain(name: str, values: NDArray[Any]) -> NDArray[Any]:
    """Return a column of dates, or of lists of one length, as one array of them."""
    if values.dtype != object or isinstance(values[0], str):
        return values
    if isinstance(values[0], dt.date):
        unit = "us" if isinstance(values[0], dt.datetime) else "D"
        return values.astype(f"datetime64[{unit}]")
    if not hasattr(values[0], "__len__"):
        return values
    try:
        return np.stack([np.asarray(each) for each in values])
    except (TypeError, ValueError):
        lengths = sorted({len(each) for each in values})
        raise DataError(
            f"Expected lists of one length in {name!r}; received lengths {lengths[0]} to "
            f"{lengths[-1]}."
        ) from None
