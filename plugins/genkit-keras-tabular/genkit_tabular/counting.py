"""Ranges and names that a description lacks, found by noisy counts: paid for once, then public."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.columns import Column
from genkit_tabular.described import lacks, said_column
from genkit_tabular.held import hold
from genkit_tabular.keys import values_of
from genkit_tabular.noisy import Below, least_told, with_noise
from genkit_tabular.raw import RawTable

_CELLS = 64  # that a coarse range is cut into, to trim it
_LOWEST, _HIGHEST = -31, 64  # powers of two that sizes are told apart by
# How probable it is that noise alone lets a cell without rows count: of sizes, one would widen a
# range a millionfold; of the cells of a range, by a cell.
_STRAY, _STRAY_CELL = 0.01, 0.5


def counted(
    form: Mapping[str, Any], raw: RawTable, epsilon: Fraction, delta: float, below: Below
) -> dict[str, Any]:
    """Return what a description says, with what it lacks found by noisy counts.

    The budget is divided evenly among the columns that lack a range or names: an even part of
    epsilon each, an even part of delta each that lacks names. Nothing else of the rows is looked
    at; their number, and what the description says, is taken as public.

    Args:
        form: the description, as TOML has it: of every column the kind.
        raw: the table.
        epsilon: of the guarantee, above 0.
        delta: the same.
        below: where randomness comes from.

    Raises:
        DataError: it lacks more than that, or lacks nothing; or so few rows have values that noise
            hides where they are.
    """
    columns = form.get("columns", {})
    wanted = {name: lacks(name, columns.get(name, {})) for name in raw.columns}
    wanted = {name: lack for name, lack in wanted.items() if lack}
    for name in wanted:
        if columns[name]["kind"] == "ordered":
            raise DataError(
                f"Expected the order of {name!r} in the description: counts don't tell it.",
                'Say order = [...], or kind = "category".',
            )
    if not wanted:
        raise DataError("Expected a column without a range or without names; none lacks any.")
    share = epsilon / len(wanted)
    of_names = delta / max(1, sum(lack == "order" for lack in wanted.values()))
    found = {}
    for name, lack in wanted.items():
        column = said_column(name, columns.get(name, {}), raw)
        if lack == "range":
            found[name] = {"range": _range(raw, column, share, below)}
        else:
            found[name] = _names(raw, column, share, of_names, below)
    return {
        **form,
        "counted": {
            "epsilon": float(epsilon),
            "delta": delta if "order" in wanted.values() else 0.0,
        },
        "columns": {name: {**columns.get(name, {}), **found.get(name, {})} for name in raw.columns},
    }


def _names(
    raw: RawTable, column: Column, epsilon: Fraction, delta: float, below: Below
) -> dict[str, Any]:
    """Return the names of which there are enough, and how many rows have none of them, about."""
    held = hold(raw, column)
    counts = np.bincount(held.keys[~held.absent], minlength=len(held.classes)).tolist()
    noisy = with_noise(counts, epsilon, below)
    least = least_told(epsilon, delta)
    known = {name: count for name, count in zip(held.classes, noisy, strict=True) if count >= least}
    if not known:
        raise _hidden(column, "name")
    ordered = sorted(known, key=lambda name: (-known[name], name))
    return {"order": ordered, "others": "missing", "missing": 0.1}


def _range(raw: RawTable, column: Column, epsilon: Fraction, below: Below) -> list[Any]:
    """Return bounds: the powers of two that hold the values, trimmed by cells between them."""
    held = hold(raw, column)
    there, half = held.keys[~held.absent], epsilon / 2
    values = values_of(held.column, there)
    if not held.column.is_float:
        values = there * held.column.step + held.column.base
    sized = np.bincount(_size(values), minlength=2 * (_HIGHEST - _LOWEST) + 3)
    filled = _filled(with_noise(sized.tolist(), half, below), half, _STRAY)
    if not len(filled):
        raise _hidden(column, "range")
    low, high = _ends(filled[0])[0], _ends(filled[-1])[1]
    edges = np.linspace(low, high, _CELLS + 1)
    cells = np.histogram(np.clip(values.astype(np.float64), low, high), edges)[0]
    filled = _filled(with_noise(cells.tolist(), half, below), half, _STRAY_CELL)
    if len(filled):  # and a cell on each side, for what is too rare to be seen
        low, high = edges[max(filled[0] - 1, 0)], edges[min(filled[-1] + 2, _CELLS)]
    return _told(column, float(low), float(high))


def _size(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return the cell of each value by its sign and the power of two below it."""
    _, power = np.frexp(values.astype(np.float64))
    cell = np.clip(power, _LOWEST, _HIGHEST) - _LOWEST + 1
    return (np.sign(values).astype(np.int64) * cell) + _HIGHEST - _LOWEST + 1


def _ends(cell: int) -> tuple[float, float]:
    number = cell - (_HIGHEST - _LOWEST + 1)
    if not number:
        return 0.0, 0.0
    power = abs(number) + _LOWEST - 1
    ends = 0.0 if power == _LOWEST else 2.0 ** (power - 1), 2.0**power
    return ends if number > 0 else (-ends[1], -ends[0])


def _filled(noisy: list[int], epsilon: Fraction, stray: float) -> NDArray[np.intp]:
    """Return the cells whose noisy counts are more than noise alone would make them."""
    least = math.log(len(noisy) / stray) / float(epsilon)
    return np.flatnonzero(np.array(noisy) > least)


def _told(column: Column, low: float, high: float) -> list[Any]:
    """Return bounds in the column's own words, the first below the second."""
    if column.is_float:
        return [low, high if high > low else math.nextafter(low, math.inf)]
    most = 2**62
    least = min(max(math.floor(low), -most), most - 1)
    ends = values_of(column, np.array([least, max(min(math.ceil(high), most), least + 1)]))
    return [str(each) if ends.dtype.kind in "mM" else each.item() for each in ends]


def _hidden(column: Column, what: str) -> DataError:
    return DataError(
        f"Expected more rows, or a larger epsilon: noise hides every {what} of {column.name!r}.",
        "Or say what is known of it in the description, which costs nothing.",
    )


def text_of(form: Mapping[str, Any], comment: str) -> str:
    """Return a description as TOML.

    Args:
        form: as TOML has it.
        comment: its first line.
    """

    def settings(said: Mapping[str, Any]) -> list[str]:
        return [f"{_json(key)} = {_json(value)}" for key, value in said.items()]

    tables = ("counted", "columns", "rules")
    lines = [f"# {comment}", *settings({k: v for k, v in form.items() if k not in tables})]
    if "counted" in form:
        lines += ["", "[counted]", *settings(form["counted"])]
    for name, said in form["columns"].items():
        lines += ["", f"[columns.{_json(name)}]", *settings(said)]
    for rule in form.get("rules", ()):
        lines += ["", "[[rules]]", *settings(rule)]
    return "\n".join(lines).replace("\x7f", "\\u007f") + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
