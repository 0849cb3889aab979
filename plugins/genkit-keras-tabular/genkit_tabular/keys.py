"""Values of columns as 64-bit integers, and back: exact both ways.

A key is a whole number of a column's steps: of its last digit, of its unit of time, of its classes.
Floats of any value have the number of their place among all floats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from genkit_tabular.columns import Column

Keys = NDArray[np.int64]
_SIGN = np.int64(-(2**63))


def ordinals(values: NDArray[np.float64]) -> Keys:
    """Return the places of floats among all floats: as ordered as they are."""
    bits = (np.asarray(values, np.float64) + 0.0).view(np.int64)  # -0.0 is 0.0
    return np.where(bits < 0, _SIGN - bits, bits)


def floats(places: Keys) -> NDArray[np.float64]:
    """Return the floats that have these places."""
    places = np.asarray(places, np.int64)
    return np.where(places < 0, _SIGN - places, places).view(np.float64)


def keys_of(column: Column, values: NDArray[np.generic]) -> Keys:
    """Return the keys of values, none of which is missing.

    Args:
        column: what they are.
        values: numbers, dates or durations in the column's unit, booleans, numbers of classes.
    """
    if column.is_float:
        return ordinals(values.astype(np.float64))
    if column.digits and values.dtype.kind == "f":
        whole = np.rint(values.astype(np.float64) * 10.0**column.digits).astype(np.int64)
    elif values.dtype.kind == "f":
        whole = np.rint(values).astype(np.int64)
    elif values.dtype.kind in "mM":
        kind = "datetime64" if values.dtype.kind == "M" else "timedelta64"
        whole = values.astype(f"{kind}[{column.unit}]").astype(np.int64)
    else:
        whole = values.astype(np.int64)
    return (whole - column.base) // column.step


def values_of(column: Column, keys: Keys) -> NDArray[np.generic]:
    """Return the values that have these keys.

    Returns:
        int64, or float64 where there are digits; booleans; datetime64 and timedelta64 in the
        column's unit; numbers of classes, int32.
    """
    if column.is_float:
        return floats(keys)
    if column.is_named:
        return keys.astype(np.int32)
    if column.kind == "boolean":
        return keys.astype(bool)
    whole = keys * column.step + column.base
    if column.kind == "datetime":
        return whole.astype(f"datetime64[{column.unit}]")
    if column.kind == "duration":
        return whole.astype(f"timedelta64[{column.unit}]")
    return whole / 10.0**column.digits if column.digits else whole


def steps_of(whole: Keys) -> tuple[int, int]:
    """Return the base and the step of a grid on which all these numbers lie."""
    if not len(whole):
        return 0, 1
    base = int(whole.min())
    # Differences of extremes may not fit into 64 bits: then there is no grid worth the name.
    if int(whole.max()) - base >= 2**62:
        return 0, 1
    step = int(np.gcd.reduce(np.unique(whole - base)))
    return (base % step, step) if step > 1 else (0, 1)


def digits_of(values: NDArray[np.floating], most: int = 9) -> int:
    """Return how many decimals floats have; -1 where more than ``most`` are needed.

    Args:
        values: finite.
        most: decimals that a number of a table may have.
    """
    held = values.astype(np.float64)
    for digits in range(most + 1):
        largest = float(np.abs(held).max(initial=0)) * 10.0**digits
        if largest >= 2.0**53:
            return -1
        if np.array_equal(np.round(held, digits).astype(values.dtype), values):
            return digits
    return -1


def places_in(names: Sequence[str]) -> dict[str, int]:
    """Return the numbers of names."""
    return {name: number for number, name in enumerate(names)}
