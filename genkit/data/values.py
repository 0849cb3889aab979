"""Bring a person's own data into a source: guess the fields, check the values."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Mapping
from functools import partial
from inspect import isroutine, signature
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.axes import check_axes
from genkit.data.item_streams import collect
from genkit.data.openers import opener_of, unknown_object
from genkit.data.source import ArraySource, Source
from genkit.errors import DataError
from genkit.plugins.specs import Field, Schema, resolve

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MODALITIES = {1: "number", 2: "vector", 4: "image"}


def as_source(data: object, accepts: Collection[str] = ()) -> Source:
    """Make a source of what a person has at hand.

    Args:
        data: a source (given back as it is); images of shape
            ``(items, height, width, channels)``; vectors of shape ``(items, length)``; a mapping
            of names to arrays, where one-dimensional integers are labels and one-dimensional text
            is text; a list of ``str``, or of items; a function without arguments that makes an
            iterator of items; or an object that an opener knows (``genkit list openers``): a table
            of pandas, Polars or Arrow, a data set of PyTorch, TensorFlow or Hugging Face.
        accepts: modalities that the model takes which the source is for; a plugin's opener may
            know more of an object for some of them.

    Raises:
        DataError: nothing opens such an object; or the values can't be used: of an unclear shape,
            channels first, constant, not finite.
    """
    if isinstance(data, Source):
        return data
    if (opener := opener_of(data, accepts)) is not None:
        opener.check_packages()
        opened = resolve(opener.spec.opener)(data)
        return opened if isinstance(opened, Source) else _of_arrays(opened, data)
    if isinstance(data, (list, tuple)) and not any(isinstance(x, (int, float)) for x in data):
        return _of_arrays(collect(data), data)
    if callable(data) and _makes_iterators(data):
        return _of_arrays(collect(data()), data)
    if not isinstance(data, Mapping) and hasattr(data, "__array__"):
        array = _array("the data", data)
        data = {"vector" if array.ndim == 2 else "image": array}  # noqa: PLR2004
    return _of_arrays(data, data)


def _of_arrays(arrays: object, given: object) -> Source:
    if not isinstance(arrays, Mapping) or not arrays:
        raise unknown_object(given)
    named = {str(name): _array(str(name), array) for name, array in arrays.items()}
    for name, array in named.items():
        if array.ndim == 4:  # noqa: PLR2004
            check_axes(name, array.shape, "If they are right, pass an ArraySource with its Schema.")
    converted = {name: convert(name, array) for name, array in named.items()}
    return ArraySource(
        {name: array for name, (array, _) in converted.items()},
        Schema({name: field for name, (_, field) in converted.items()}),
    )


def _array(name: str, values: object) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"Expected {name!r} as an array; received {type(values).__name__}: {error}."
        ) from error


def _makes_iterators(data: object) -> bool:
    """Whether an object is a function that can be called without arguments."""
    if not isroutine(data) and not isinstance(data, partial):
        return False
    try:
        signature(data).bind()
    except (TypeError, ValueError):
        return False
    return True


def convert(
    name: str, array: NDArray[Any], value_range: tuple[float, float] | None = None
) -> tuple[NDArray[Any], Field]:
    """Guess the field that an array is, and store it in the field's dtype.

    Bytes stay bytes, with the range ``(0, 255)``; other numbers become float32, with the range
    they have.

    Args:
        name: the field's name, for messages.
        array: the first axis the items.
        value_range: lowest and highest value there can be, where that is known.

    Raises:
        DataError: the values can't be used.
    """
    if array.ndim == 0 or not array.size:
        raise DataError(f"Expected items in {name!r}; received an array of shape {array.shape}.")
    if array.ndim == 1 and array.dtype.kind in "OUT":
        return array.astype(object), Field((), "string", "text")
    if array.dtype.kind not in "buif":
        raise DataError(f"Expected numbers in {name!r}; received {array.dtype}.")
    if array.ndim == 1 and array.dtype.kind in "bui" and value_range is None:
        return label(name, array)
    modality = _MODALITIES.get(array.ndim)
    if modality is None:
        hint = "Add a channel axis: array[..., None]." if array.ndim == 3 else ""  # noqa: PLR2004
        raise DataError(
            f"Expected {name!r} as images (items, height, width, channels) or vectors "
            f"(items, length); received the shape {array.shape}.",
            hint,
        )
    dtype = "uint8" if array.dtype == np.uint8 else "float32"
    with np.errstate(over="ignore"):  # what float32 can't hold is found to be infinite
        array = array.astype(dtype, copy=False)
    return array, Field(array.shape[1:], dtype, modality, _range_of(name, array, value_range))


def label(name: str, array: NDArray[Any]) -> tuple[NDArray[np.int32], Field]:
    """Read class numbers; the classes are called by their numbers.

    Raises:
        DataError: they aren't integers from 0 to 65,535, one an item.
    """
    if array.ndim != 1 or array.dtype.kind not in "bui":
        raise DataError(
            f"Expected {name!r} as integers, one an item; received {array.dtype} of shape "
            f"{array.shape}.",
            _remedy(array),
        )
    low, high = int(array.min()), int(array.max())
    if low < 0 or high >= 1 << 16:
        raise DataError(
            f"Expected the labels in {name!r} from 0 to 65535; received {low} to {high}.",
            "Number the classes from 0: numpy.unique(labels, return_inverse=True).",
        )
    if (used := len(np.unique(array))) <= high / 2 or low > 0:
        warnings.warn(
            f"Only {used} of the {high + 1} classes 0 to {high} of {name!r} have items; "
            "numpy.unique(labels, return_inverse=True) numbers them without gaps.",
            stacklevel=2,
        )
    classes = tuple(str(number) for number in range(high + 1))
    return array.astype(np.int32), Field((), "int32", "label", classes=classes)


def _remedy(array: NDArray[Any]) -> str:
    """Return how to make class numbers of an array that has none."""
    if array.ndim == 2:  # noqa: PLR2004
        ravel = array.shape[1] == 1
        return "Drop the second axis: labels[:, 0]." if ravel else "If one-hot: labels.argmax(1)."
    if array.dtype.kind in "OUSf":
        return "Number the classes from 0: numpy.unique(labels, return_inverse=True)."
    return ""


def _range_of(
    name: str, array: NDArray[Any], given: tuple[float, float] | None
) -> tuple[float, float]:
    if bad := array.size - int(np.count_nonzero(np.isfinite(array))):
        raise DataError(
            f"Expected finite values in {name!r}; received {bad} of {array.size} that are not.",
            "Remove or replace them: numpy.nan_to_num.",
        )
    low, high = float(array.min()), float(array.max())
    if given is not None:
        if low < given[0] or high > given[1]:
            raise DataError(
                f"Expected {name!r} within the range {given[0]:g} to {given[1]:g}; "
                f"received {low:g} to {high:g}."
            )
        return given
    if array.dtype == np.uint8:
        return (0.0, 255.0)
    if low == high:
        raise DataError(f"Expected values that vary in {name!r}; received {low:g} throughout.")
    return (low, high)
