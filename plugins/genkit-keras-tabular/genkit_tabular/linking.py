"""Two tables with one key, as two plain tables: what one child has to do with the one before it.

Parents get the number of their children and the date of the first. A child has the columns of its
parent beside its own, its place, how many are still to come, the child before it, and how long
after that it came. Each is then a table that any model of tables learns;
``genkit_tabular.joining`` makes parents with their children of the two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

import genkit
from genkit.errors import DataError
from genkit_tabular.columns import Column, Table
from genkit_tabular.frames import frame_of
from genkit_tabular.held import hold
from genkit_tabular.inferring import propose
from genkit_tabular.keys import values_of
from genkit_tabular.parsing import written
from genkit_tabular.raw import RawTable
from genkit_tabular.writing import new_folder, write_table

COUNT, FIRST = "children", "first"
PLACE, LEFT, GAP = "place", "left", "gap"
PARENT, PREVIOUS = "parent.", "previous."
_FORM = "link.json"
_ORDERS = ("datetime", "number")


class Link(genkit.Config):
    """What joins the two tables again.

    Args:
        key: the column that both have.
        by: the column that orders the children of a parent, as a ``Column``; empty for the order
            of the rows.
        last: the greatest key of that column.
        columns: those of the children, in order.
    """

    key: str
    by: dict[str, str | int | bool]
    last: int
    columns: tuple[str, ...]

    def order(self) -> Column | None:
        """Return the column that orders children, if one does.

        Raises:
            DataError: it is damaged.
        """
        if not self.by:
            return None
        try:
            found = Column(**self.by)  # type: ignore[arg-type]
        except TypeError as error:
            raise DataError(f"Expected a column in {_FORM}: {error}.") from error
        usual = asdict(Column("", "number"))
        wrong = [
            name for name, value in asdict(found).items() if type(value) is not type(usual[name])
        ]
        if wrong or found.kind not in _ORDERS or found.step < 1:
            raise DataError(f"Expected a column of dates or numbers in {_FORM}; it is damaged.")
        return found


@dataclass(frozen=True)
class Linked:
    """Two tables to learn from.

    Args:
        parents: the parents, with ``children``, how many each has, and ``first``.
        children: a row a child.
        link: what joins them again.
        left_out: how many rows were left out, by reason.
    """

    parents: RawTable
    children: RawTable
    link: Link
    left_out: Mapping[str, int]

    def write(self, folder: Path) -> None:
        """Write both tables, what joins them, and that the key is an id, to a new folder."""
        key = json.dumps(self.link.key, ensure_ascii=False)
        said = f'# Beside what the values of parents tell.\n[columns.{key}]\nkind = "id"\n'
        text = json.dumps(self.link.model_dump(), indent=1, ensure_ascii=False)
        with new_folder(folder) as place:
            for name, raw in (("parents", self.parents), ("children", self.children)):
                ending = "csv" if raw.is_text else "parquet"
                write_table(pa.table(dict(raw.columns)), place / f"{name}.{ending}")
            (place / "parents.toml").write_text(said, encoding="utf-8")
            (place / _FORM).write_text(text + "\n", encoding="utf-8")


def read_link(folder: Path) -> Link:
    """Read what ``Linked.write`` wrote.

    Raises:
        DataError: it isn't there, or is damaged.
    """
    path = folder / _FORM
    try:
        return Link.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(
            f"Expected {path}: {error.strerror}.", "genkit link PARENTS CHILDREN writes it."
        ) from error
    except ValueError as error:  # no UTF-8, no JSON, other settings
        raise DataError(f"Expected the link of two tables in {path}; it is damaged.") from error


def link(parents: RawTable, children: RawTable, key: str, by: str = "") -> Linked:
    """Make two tables to learn from of two that share a key.

    Args:
        parents: a row for each key.
        children: any number of rows for a key.
        key: the column that both have.
        by: the column of children, dates or numbers, that orders those of one parent; by default
            their rows do.

    Raises:
        DataError: a column isn't there, or its name is needed; a key stands for two parents; no
            child has a parent.
    """
    owners = _owners(parents, children, key)
    order = _order(children, by)
    keys = np.zeros(children.rows, np.int64) if order is None else order[1]
    undated = np.zeros(children.rows, bool) if order is None else order[2]
    orphans = owners < 0
    kept = np.flatnonzero(~orphans & ~undated)
    left_out = {
        f"{key} of no parent": int(orphans.sum()),
        f"no {by}": int((undated & ~orphans).sum()),
    }
    if not len(kept):
        raise DataError(
            f"Expected children whose {key!r} is that of a parent; no row of {children.rows:,} has "
            "one.",
            "Look how the two tables write it.",
        )
    kept = kept[np.lexsort((kept, keys[kept], owners[kept]))]
    owners, keys = owners[kept], keys[kept]
    counts = np.bincount(owners, minlength=parents.rows)
    begins = np.concatenate([[0], np.cumsum(counts)[:-1]])[owners]
    place = np.arange(len(kept)) - begins
    is_first = place == 0
    family = _with_counts(parents, counts, order and order[0], owners[is_first], keys[is_first])
    before = np.where(is_first, 0, np.arange(len(kept)) - 1)
    mine = _learnable(children, (key,))
    columns: dict[str, pa.ChunkedArray] = {}
    for name in _learnable(family, (key, COUNT)):
        columns[PARENT + name] = family.columns[name].take(pa.array(owners))
    columns[PLACE] = _numbers(place)
    columns[LEFT] = _numbers(counts[owners] - place - 1)
    for name in mine:
        taken = children.columns[name].take(pa.array(kept[before], mask=is_first))
        columns[PREVIOUS + name] = taken
    if order is not None:
        columns[GAP] = _numbers(keys - keys[before], is_first)
    for name in children.columns:
        if name not in (key, by):
            _check_free(name, columns)
            columns[name] = children.columns[name].take(pa.array(kept))
    if children.is_text:
        columns = {name: each.cast(pa.string()) for name, each in columns.items()}
    found = Link(
        key=key,
        by={} if order is None else asdict(order[0]),
        last=int(keys.max()),
        columns=tuple(children.columns),
    )
    made = RawTable(columns, children.is_text, children.frame)
    return Linked(family, made, found, {why: n for why, n in left_out.items() if n})


def _owners(parents: RawTable, children: RawTable, key: str) -> NDArray[np.int64]:
    """Return the row of each child's parent, -1 where there is none."""
    for what, raw in (("parents", parents), ("children", children)):
        if key not in raw.columns:
            raise DataError(
                f"Expected a column {key!r} of the {what}; they have {', '.join(raw.columns)}."
            )
    known = parents.columns[key].combine_chunks().cast(pa.string())
    counted = pc.value_counts(known.drop_null())
    if twice := [each["values"] for each in counted.to_pylist() if each["counts"] > 1]:
        raise DataError(
            f"Expected each {key!r} of the parents once; {twice[0]!r} stands in several rows."
        )
    asked = children.columns[key].combine_chunks().cast(pa.string())
    found = pc.index_in(asked, known, skip_nulls=True).fill_null(-1)
    owners: NDArray[np.int64] = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return owners


def _order(children: RawTable, by: str) -> tuple[Column, NDArray[Any], NDArray[Any]] | None:
    """Return the column that orders children, the key of each row, and which rows have none."""
    if not by:
        return None
    if by not in children.columns:
        raise DataError(
            f"Expected a column {by!r} of the children; they have {', '.join(children.columns)}."
        )
    alone = RawTable({by: children.columns[by]}, children.is_text, children.frame)
    (column,) = propose(alone)
    if column.kind not in _ORDERS or column.is_float:
        raise DataError(
            f"Expected dates or numbers of few decimals in {by!r}, to order by; it is a "
            f"{column.kind} ({column.reason})."
        )
    held = hold(alone, column)
    return held.column, held.keys, held.absent


def _learnable(raw: RawTable, others: Sequence[str]) -> list[str]:
    """Return the columns that a child may depend on: no ids, no free text."""
    return [each.name for each in propose(raw) if each.modelled and each.name not in others]


def _with_counts(
    parents: RawTable,
    counts: NDArray[np.int64],
    column: Column | None,
    owners: NDArray[np.int64],
    keys: NDArray[np.int64],
) -> RawTable:
    """Return the parents with how many children each has, and the date of the first."""
    columns = dict(parents.columns)
    _check_free(COUNT, columns)
    columns[COUNT] = _numbers(counts)
    if column is not None:
        _check_free(FIRST, columns)
        absent = np.ones(parents.rows, bool)
        absent[owners] = False
        held = np.zeros(parents.rows, np.int64)
        held[owners] = keys
        columns[FIRST] = pa.chunked_array([dates(column, held, absent)])
    if parents.is_text:
        columns = {name: each.cast(pa.string()) for name, each in columns.items()}
    return RawTable(columns, parents.is_text, parents.frame)


def dates(column: Column, keys: NDArray[np.int64], absent: NDArray[np.bool_]) -> pa.Array:
    """Return the dates or numbers that have these keys, as the column was stored."""
    values = values_of(column, keys)
    values = written(column, values) if column.is_written else values
    items = {column.name: np.ma.MaskedArray(values, absent)}
    return frame_of(Table((column,)), (), [items]).column(0).combine_chunks()


def _numbers(values: NDArray[np.int64], absent: NDArray[np.bool_] | None = None) -> Any:
    return pa.chunked_array([pa.array(values, pa.int64(), mask=absent)])


def _check_free(name: str, columns: Mapping[str, Any]) -> None:
    if name in columns:
        raise DataError(
            f"Expected another name than {name!r}: linked tables have a column of that name.",
            "Rename it.",
        )
