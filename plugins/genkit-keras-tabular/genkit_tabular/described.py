"""Columns and codes that follow from a description alone, whatever the rows: what privacy needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.codec import Codec
from genkit_tabular.columns import KINDS, Column
from genkit_tabular.describing import Description
from genkit_tabular.held import HeldColumn
from genkit_tabular.keys import keys_of, ordinals
from genkit_tabular.parsing import parse
from genkit_tabular.raw import RawTable

_UNITS = {"datetime": "D", "duration": "us"}
_NEEDED = {
    "number": "range", "datetime": "range", "duration": "range", "category": "order",
    "ordered": "order",
}  # fmt: skip


def described_columns(
    said: Description, raw: RawTable
) -> tuple[list[Column], dict[str, list[str]]]:
    """Return the columns of a table, and the names of categories, as a description has them.

    Args:
        said: of every column the kind; of numbers, dates and durations the range, of categories
            their names as ``order``, of ids their form.
        raw: the table, for its names and types.

    Raises:
        DataError: the description lacks one of these.
    """
    columns, orders = [], {}
    for name in raw.columns:
        settings = said.columns.get(name, {})
        if lack := lacks(name, settings):
            raise _lacking(name, lack)
        columns.append(said_column(name, settings, raw))
        if names := settings.get("order"):
            orders[name] = [str(each) for each in names]
    return columns, orders


def lacks(name: str, said: Mapping[str, Any]) -> str:
    """Return what a column's settings lack that noisy counts may find: range, order, or nothing.

    Raises:
        DataError: they don't say the kind.
    """
    kind = said.get("kind", "")
    if kind not in KINDS:
        raise _lacking(name, f"kind, one of {', '.join(KINDS)}")
    needed = _NEEDED.get(kind, "")
    return "" if said.get(needed) else needed


def _lacking(name: str, lack: str) -> DataError:
    return DataError(
        f"Expected the description to say all of {name!r}, as its codes are to follow from it "
        f"alone; it lacks {lack}.",
        "Say it, or have range and order found by noisy counts: genkit table count",
    )


def without_others(raw: RawTable, said: Description) -> RawTable:
    """Return a table in which names count as missing that a description leaves to others."""
    columns = dict(raw.columns)
    for name, settings in said.columns.items():
        if settings.get("others") and name in columns:
            names = columns[name].cast("string")
            known = pc.is_in(names, value_set=pa.array(map(str, settings["order"]), "string"))
            columns[name] = pc.if_else(known, names, pa.scalar(None, "string"))
    return replace(raw, columns=columns)


def said_column(name: str, said: Mapping[str, Any], raw: RawTable) -> Column:
    """Return a column as its settings have it.

    Raises:
        DataError: it holds ids of no form.
    """
    kind = said["kind"]
    if kind == "id" and raw.is_text and not said.get("pattern") and "format" not in said:
        raise DataError(
            f"Expected the form of the ids {name!r} in the description.",
            'Say format = "C-{000000}".',
        )
    low, high = (str(each) for each in said.get("range", ("", "")))
    return Column(
        name,
        kind,
        dtype=raw.dtypes.get(name, "" if raw.is_text else str(raw.columns[name].type)),
        digits=said.get("digits", 0),
        unit=said.get("unit", _UNITS.get(kind, "")),
        zone=said.get("zone", ""),
        missing=bool(said.get("missing", 0)),
        pattern=said.get("pattern", ""),
        first=1 if kind == "id" else 0,
        low=low,
        high=high,
        reason="as the description says",
    )


def as_described(each: HeldColumn, column: Column) -> HeldColumn:
    """Return a column's rows with nothing about it that they tell.

    Args:
        each: as it was read.
        column: as the description has it.

    Raises:
        DataError: values are missing, and the description doesn't say that they may be.
    """
    if each.absent.any() and not column.missing:
        raise DataError(
            f"Expected a value of {column.name!r} in every row, as its description says; "
            f"{int(each.absent.sum()):,} are missing.",
            "Say missing = 0.1, or another share above 0: that some are is enough.",
        )
    keys, read = each.keys, each.column
    if column.kind in ("number", "datetime", "duration") and not column.is_float:
        keys = keys * read.step + read.base
    return HeldColumn(replace(column, pattern=read.pattern), keys, each.absent, each.classes)


def described_codec(each: HeldColumn, bins: int) -> Codec:
    """Return codes of equal width, as frequent as each other.

    Args:
        each: a column; its rows are not looked at.
        bins: how many codes a column of numbers has at most.

    Raises:
        DataError: the range of the column is none.
    """
    column = each.column
    if column.is_named or column.kind == "boolean":
        low = high = np.arange(len(each.classes) if column.is_named else 2, dtype=np.int64)
    else:
        low, high = _even(column, bins)
    counts = np.ones(len(low) + column.missing, np.int64)
    return Codec(low, high, counts, column.is_float, column.missing)


def _even(column: Column, bins: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ends, wrong = parse(column, [column.low, column.high])
    if wrong.any() or not ends[0] < ends[1]:
        raise DataError(
            f"Expected the range of {column.name!r} as two values of its kind, the smaller first; "
            f"received [{column.low}, {column.high}]."
        )
    if column.is_float:
        edges = ordinals(np.linspace(float(ends[0]), float(ends[1]), bins + 1))
        return edges[:-1], np.append(edges[1:-1] - 1, edges[-1])
    least, most = keys_of(column, ends).tolist()
    width = most - least + 1
    parts = min(bins, width)
    starts = [least + width * number // parts for number in range(parts + 1)]
    return np.array(starts[:-1], np.int64), np.array(starts[1:], np.int64) - 1


def refuse_what_rows_tell(rules: Sequence[Mapping[str, Any]]) -> None:
    """Refuse rules that are made of the rows.

    Raises:
        DataError: one is.
    """
    if any("together" in rule for rule in rules):
        raise DataError(
            "Expected no rule `together`: the combinations it allows are those of the rows, and "
            "nothing is to follow from them."
        )
