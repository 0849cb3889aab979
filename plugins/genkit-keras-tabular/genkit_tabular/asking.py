"""What is asked of a column of generated rows: what people write, as places in its codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import UsageError
from genkit_tabular.codec import PLACES, Codec
from genkit_tabular.columns import Column
from genkit_tabular.keys import keys_of, places_in, values_of
from genkit_tabular.parsing import parse

NULL = "null"
"""What asks for a missing value, where no name of the column is called so."""

_RANGE = ":"


PRESENT = object()
"""What asks for any value, but not for a missing one."""


class Code(int):
    """A code itself, in the place of a value: what a row to be filled already has."""


def limits_of(
    column: Column, codec: Codec, classes: Sequence[str], value: Any
) -> NDArray[np.int32]:
    """Return the places that a value, a range of values or ``null`` has in each code.

    Args:
        column: what is asked for.
        codec: its codes.
        classes: names of categories, in order of their numbers.
        value: text, as people write it; a number, a date; a ``Code``.

    Returns:
        first place, and that behind the last, of each code, shape ``(2, codec.size)``.

    Raises:
        UsageError: no row of the data has such a value.
    """
    if value is PRESENT:
        limits = np.zeros((2, codec.size), np.int32)
        limits[1, : len(codec.low)] = PLACES - 1
        return limits
    if isinstance(value, Code):
        return _whole(codec, int(value))
    if column.is_named and isinstance(value, (int, np.integer)) and str(value) not in classes:
        if not 0 <= value < len(classes):
            raise UsageError(f"Expected {column.name} below {len(classes)}; received {value}.")
        value = classes[value]  # the number of a class is that class, as data has it
    text = str(value).strip()
    if text.lower() == NULL and text not in classes:
        if not codec.missing:
            raise UsageError(f"Expected a value of {column.name!r}: it is missing in no row.")
        return _whole(codec, codec.size - 1)
    found = _interval(column, classes, text)
    if found is None:
        raise UsageError(
            f"Expected {column.name} as {_form(column, codec, classes)}; received {value!r}."
        )
    limits = codec.limits(*found)
    if not (limits[1] > limits[0]).any():
        raise UsageError(
            f"No row of the data has {column.name}={text}: its estimated probability is 0.",
            f"Ask for {_form(column, codec, classes)}.",
        )
    return limits


def _whole(codec: Codec, code: int) -> NDArray[np.int32]:
    limits = np.zeros((2, codec.size), np.int32)
    limits[1, code] = PLACES - 1
    return limits


def _interval(column: Column, classes: Sequence[str], text: str) -> tuple[int, int] | None:
    """Return the least and the greatest key that a text asks for; None for none."""
    if (key := _key(column, classes, text)) is not None:
        return key, key
    if column.kind in ("category", "boolean"):
        return None
    for place in (place for place, letter in enumerate(text) if letter == _RANGE):
        ends = text[:place].strip(), text[place + 1 :].strip()
        keys = [_key(column, classes, end) if end else None for end in ends]
        if any(end and key is None for end, key in zip(ends, keys, strict=True)):
            continue
        least = np.iinfo(np.int64).min if keys[0] is None else keys[0]
        most = np.iinfo(np.int64).max if keys[1] is None else keys[1]
        if least <= most and any(ends):
            return int(least), int(most)
    return None


def _key(column: Column, classes: Sequence[str], text: str) -> int | None:
    if column.is_named:
        return places_in(classes).get(text)
    values, wrong = parse(column, [text])
    if wrong.any():
        return None
    key = keys_of(column, values)
    # Between two steps of the column there is no value: 3.5 is no whole number.
    exact = column.is_float or bool((values_of(column, key) == values).all())
    return int(key[0]) if exact else None


def _form(column: Column, codec: Codec, classes: Sequence[str]) -> str:
    """Return how a value of the column is written."""
    if column.is_named:
        shown = ", ".join(map(repr, classes[:6]))
        return f"one of {shown}{', ...' if len(classes) > 6 else ''}"  # noqa: PLR2004
    if column.kind == "boolean":
        return "true or false"
    if not len(codec.low):
        return NULL
    least, most = values_of(column, np.array([codec.low[0], codec.high[-1]]))
    return f"a value from {least} to {most}, or a range such as {least}:{most}"
