"""What people write for the value of a field, as networks compute with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import PluginError, UsageError
from genkit.plugins.names import suggestion

if TYPE_CHECKING:
    from genkit.plugins.schema import Field

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


def encoded_values(
    name: str, field: Field, names: Sequence[str], values: Sequence[Any]
) -> np.ndarray | list[np.ndarray]:
    """Encode values of a field.

    Args:
        name: what they are called.
        field: what they are.
        names: what its numbers stand for; none if it has no vocabulary.
        values: text or numbers; arrays where the field has axes.

    Returns:
        one row a value: numbers of names int32, floats float32, dates as integers in the field's
        own unit, others in the field's dtype; a list of arrays if the field varies in length.

    Raises:
        UsageError: what no item of the data has.
        PluginError: text, which only the model can encode.
    """
    if field.dtype == "string" or (field.shape and any(isinstance(each, str) for each in values)):
        raise PluginError(
            f"Expected the model to encode {name!r}, which is given as text; it doesn't.",
            "Define encode_condition in its class.",
        )
    if field.shape:
        arrays = [_array(name, field, each) for each in values]
        return arrays if field.varies else np.stack(arrays) if arrays else _none(field)
    if names:
        return numbers_of(values, names, f"{name} to be one of")
    numbers = [_number(name, field, each) for each in values]
    _check_range(name, field, np.array(numbers, object))
    kind = np.dtype(field.dtype).kind
    dtype = {"M": "int64", "m": "int64", "f": "float32"}.get(kind, field.dtype)
    try:
        return np.array(numbers, dtype)
    except OverflowError as error:
        raise UsageError(f"Expected {name} as {field.dtype}; received {numbers}.") from error


def numbers_of(values: Sequence[Any], names: Sequence[str], what: str) -> np.ndarray:
    """Return the numbers of names, int32.

    Args:
        values: an integer is the number itself. Text is a name, or else its number, unless names
            are numbers: there ``"2"`` is the name "2" or none.
        names: all there are.
        what: the beginning of a refusal: "one of".

    Raises:
        UsageError: there is no such name.
    """
    places = {name: number for number, name in reversed(list(enumerate(names)))}
    plain = _called_by_numbers(names)
    found = np.empty(len(values), np.int32)
    for index, value in enumerate(values):
        number = value
        if isinstance(value, str):
            number = places.get(value, int(value) if value.isdecimal() and not plain else -1)
        if not 0 <= int(number) < len(names):
            raise UsageError(
                f"Expected {what} {_listed(names)}; received {value!r}.",
                suggestion(value, names) if isinstance(value, str) else "",
            )
        found[index] = number
    return found


def _none(field: Field) -> np.ndarray:
    return np.zeros((0, *(size or 0 for size in field.shape)), field.dtype)


def _array(name: str, field: Field, value: Any) -> np.ndarray:
    array = np.asarray(value)
    fits = array.ndim == len(field.shape) and all(
        wanted in (None, size) for wanted, size in zip(field.shape, array.shape, strict=True)
    )
    if not fits or array.dtype.kind not in "biuf":
        raise UsageError(
            f"Expected {name} as numbers of shape {field.shape}; received {array.dtype} of shape "
            f"{array.shape}."
        )
    _check_range(name, field, array)
    return array


def _number(name: str, field: Field, value: Any) -> Any:
    """Return a value as Python's own number."""
    kind = np.dtype(field.dtype).kind
    try:
        if kind in "Mm":
            make: Any = np.datetime64 if kind == "M" else np.timedelta64
            unit = np.datetime_data(field.dtype)[0]
            given = int(value) if kind == "m" and isinstance(value, str) else value
            return int(make(given, unit).astype(np.int64))
        if kind == "b":
            return _WORDS[str(value).lower()]
        number = float(value) if kind == "f" else int(value)
    except (ValueError, TypeError, KeyError, OverflowError):
        number = None
    whole = kind == "f" or isinstance(value, str) or number == value
    if number is None or not whole or not -np.inf < number < np.inf:
        usual = {"M": "a date such as 2001-05-31", "b": "true or false", "f": "a number"}
        expected = usual.get(kind, "a whole number")
        raise UsageError(f"Expected {name} as {expected}; received {value!r}.")
    return number


def _check_range(name: str, field: Field, numbers: np.ndarray) -> None:
    if field.range is None or not numbers.size:
        return
    low, high = numbers.min(), numbers.max()
    if not (field.range[0] <= low and high <= field.range[1]):  # NaN is in no range
        wrong = low if not low >= field.range[0] else high
        raise UsageError(
            f"Expected {name} from {_shown(field.range[0])} to {_shown(field.range[1])}, as the "
            f"data has it; received {_shown(wrong)}."
        )


def _shown(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else f"{number:g}"


def _called_by_numbers(classes: Sequence[str]) -> bool:
    return any(re.fullmatch(r"[-+]?\d+([.,]\d+)?", name) for name in classes)


def _listed(classes: Sequence[str]) -> str:
    most = 12
    plain = _called_by_numbers(classes)
    shown = ", ".join(
        name if plain else f"{number} ({name})" for number, name in enumerate(classes[:most])
    )
    last = classes[-1] if plain else len(classes) - 1
    return f"{shown}, ... {last}" if len(classes) > most else shown
