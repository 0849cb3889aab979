"""Tables as files: filled ones, the cells that were there as they were, and linked ones."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from genkit_tabular.raw import RawTable

_WORDS = {"": ",", "tab": "\t", "\\t": "\t"}


def write_filled(
    raw: RawTable, items: Mapping[str, np.ndarray], out: Path, delimiter: str = ""
) -> None:
    """Write a table with other values in its holes.

    Args:
        raw: the table.
        items: columns without holes, or with fewer.
        out: a file of CSV or Parquet.
        delimiter: of CSV.
    """
    columns = {}
    for name, column in raw.columns.items():
        if name in items:
            made = _arrow(items[name], column.type)
            column = pc.if_else(pc.is_null(column), made, column)  # noqa: PLW2901
        columns[name] = column
    write_table(pa.table(columns), out, delimiter)


def write_table(table: pa.Table, out: Path, delimiter: str = "") -> None:
    """Write a table as a whole file of CSV or Parquet, or none."""
    partial = out.with_name(f".{out.name}")
    if out.suffix == ".parquet":
        pq.write_table(table, partial)
    else:
        parted = _WORDS.get(delimiter, delimiter)
        options = pa_csv.WriteOptions(delimiter=parted, quoting_style="needed")
        pa_csv.write_csv(table, partial, options)
    partial.replace(out)


@contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """Give a folder to write to, which becomes ``out`` at the end, or nothing."""
    partial = out.with_name(f".{out.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _arrow(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    """Return values in the type of the column that they fill."""
    absent, data = np.ma.getmaskarray(values), np.ma.getdata(values)
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return pa.array(data, mask=absent).cast(kind)
    if data.dtype.kind == "b":
        data = np.where(data, "true", "false")
    elif data.dtype.kind == "f":
        data = np.array([str(x).removesuffix(".0") for x in data.tolist()], object)
    return pa.array(data.astype(str).astype(object), kind, mask=absent)
