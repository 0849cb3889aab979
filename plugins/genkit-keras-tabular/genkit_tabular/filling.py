"""Rows with holes, filled by a model: each row given what it has."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.asking import PRESENT, Code
from genkit_tabular.held import hold
from genkit_tabular.keys import places_in, values_of
from genkit_tabular.parsing import written

if TYPE_CHECKING:
    from genkit_tabular.columns import Column, Table
    from genkit_tabular.learned import Learned
    from genkit_tabular.raw import RawTable


def filled(
    model: Any, raw: RawTable, seed: int = 0
) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Fill what is missing in the rows of a table.

    Args:
        model: a ``TableModel``, which knows the columns.
        raw: the rows; a column that the model doesn't learn stays as it is.
        seed: 0 to 2**31 - 1; row i follows from (seed, i) and what it has.

    Returns:
        the columns that the model learns, filled, as it presents them; and how many cells were
        filled, by column.

    Raises:
        DataError: the table lacks a column, or has values of another kind.
    """
    given, holes = {}, {}
    for each in model.learned:
        if each.name not in raw.columns:
            raise DataError(
                f"Expected a column {each.name!r}, which the model learns; the table has "
                f"{', '.join(raw.columns)}."
            )
        keys, absent, unknown = keys_in(each, raw)
        if unknown:
            warnings.warn(
                f"{unknown:,} values of {each.name!r} are none that the model knows: they stay, "
                "and the other columns are filled as if they were missing.",
                stacklevel=2,
            )
        codes, _ = each.codec.encode(keys, np.zeros_like(absent))
        hole = PRESENT if len(each.codec.low) else None
        pairs = zip(codes, absent, strict=True)
        given[each.name] = [hole if gap else Code(code) for code, gap in pairs]
        holes[each.name] = absent
    asked = {name: values for name, values in given.items() if name in _names(model)}
    batches = list(model.fillings(raw.rows, seed, asked))
    items: dict[str, Any] = {}
    for each in model.learned:
        made = np.ma.concatenate([np.ma.asarray(batch[each.name]) for batch in batches])
        items[each.name] = _together(each, raw, made)
    items = model.rules.completed(items, holes)
    return items, {name: int(each.sum()) for name, each in holes.items() if each.any()}


def ids_in(table: Table, raw: RawTable) -> dict[str, np.ndarray]:
    """Return the keys of rows that are filled: they stay whose they are."""
    held = [hold(raw, column) for column in table.columns if not column.modelled]
    return {each.column.name: np.ma.MaskedArray(each.keys, each.absent) for each in held}


def _names(model: Any) -> set[str]:
    return {condition.name for condition in model.conditions}


def keys_in(each: Learned, raw: RawTable) -> tuple[NDArray[np.int64], NDArray[np.bool_], int]:
    """Return the keys of a column's cells, which have none, and how many of those are unknown.

    Args:
        each: the column, as the model knows it.
        raw: rows of another table.

    Returns:
        keys; where a cell is empty or has a name that the model doesn't know; how many such names.
    """
    column = each.column
    if not column.is_named:
        held = hold(raw, column)
        return _in_steps_of(column, held.column, held.keys), held.absent, 0
    texts = raw.columns[each.name].combine_chunks().cast("string").to_pylist()
    places = places_in(each.classes)
    absent = np.array([text not in places for text in texts])
    keys = np.array([places.get(text, 0) for text in texts], np.int64)
    return keys, absent, sum(text is not None and text not in places for text in texts)


def _in_steps_of(new: Column, old: Column, keys: np.ndarray) -> np.ndarray:
    """Return keys in the steps of the model's own column: a few rows may have wider ones."""
    if old.is_float or old.kind == "boolean":
        return keys
    return (keys * old.step + old.base - new.base) // new.step


def _together(each: Learned, raw: RawTable, made: Any) -> np.ma.MaskedArray:
    """Return a column with its own values where it has some, and generated ones elsewhere."""
    column = each.column
    if column.is_named:
        texts = raw.columns[each.name].combine_chunks().cast("string").to_pylist()
        own = np.array(["" if text is None else text for text in texts], object)
        there = np.array([text is not None for text in texts])
    else:
        held = hold(raw, column)
        own, there = values_of(held.column, held.keys), ~held.absent
        if column.is_written:
            own = written(held.column, own)
    values = np.where(there, own, np.ma.getdata(made))
    absent = ~there & np.ma.getmaskarray(made)
    return np.ma.MaskedArray(values.astype(np.ma.getdata(made).dtype), absent)
