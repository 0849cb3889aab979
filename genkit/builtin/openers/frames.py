"""Tables of pandas, Polars and Arrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from genkit.data.table_fields import Column, table_source
from genkit.errors import DataError

if TYPE_CHECKING:
    from genkit.data.source import Source


def open_pandas(data: Any) -> Source:
    """Open a ``pandas.DataFrame`` or ``Series``; its index stays behind.

    Raises:
        DataError: a column's name occurs twice, it is empty, or a kind of value isn't known.
    """
    frame = data if hasattr(data, "columns") else data.to_frame(data.name or "value")
    if not frame.columns.is_unique:
        twice = frame.columns[frame.columns.duplicated()][0]
        raise DataError(f"Expected columns with different names; {twice!r} occurs twice.")
    return table_source({str(name): _of_pandas(frame[name]) for name in frame.columns})


def _of_pandas(series: Any) -> Column:
    missing = series.isna().to_numpy()
    present = series[~missing]
    if hasattr(series.dtype, "categories") and hasattr(series, "cat"):
        classes = tuple(map(str, series.dtype.categories))
        return Column(present.cat.codes.to_numpy(), missing, classes)
    numeric = getattr(series.dtype, "numpy_dtype", None)  # of nullable and Arrow types
    values = present.to_numpy() if numeric is None else present.to_numpy(dtype=numeric)
    return Column(values, missing)


def open_polars(data: Any) -> Source:
    """Open a ``polars.DataFrame``, ``LazyFrame`` or ``Series``.

    Raises:
        DataError: a column is empty, or a kind of value isn't known.
    """
    if hasattr(data, "collect"):
        data = data.collect()
    frame = data if hasattr(data, "columns") else data.to_frame(data.name or "value")
    return table_source({name: _of_polars(frame[name]) for name in frame.columns})


def _of_polars(series: Any) -> Column:
    missing, present = series.is_null().to_numpy(), series.drop_nulls()
    if str(series.dtype).startswith(("Categorical", "Enum")):
        return Column.of_names(present.cast(str).to_numpy(), missing)
    return Column(present.to_numpy(), missing)


def open_arrow(data: Any) -> Source:
    """Open a ``pyarrow.Table``.

    Raises:
        DataError: a column's name occurs twice, it is empty, or a kind of value isn't known.
    """
    if len(set(data.column_names)) < len(data.column_names):
        raise DataError("Expected columns with different names; some occur twice.")
    named = zip(data.column_names, data.columns, strict=True)
    return table_source({name: _of_arrow(column) for name, column in named})


def _of_arrow(column: Any) -> Column:
    missing, present = column.is_null().to_numpy(), column.drop_null()
    if str(column.type).startswith("dictionary"):
        return Column.of_names(present.to_pylist(), missing)
    return Column(present.to_numpy(), missing)
