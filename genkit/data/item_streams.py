"""Items that come one after the other, gathered into arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.axes import CHANNELS
from genkit.data.memory import machine_bytes
from genkit.data.source import allocate
from genkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CHUNK = 256
_IMAGE_AXES = 3
_NAMES = {1: "vector", 2: "image", 3: "image"}


def collect(items: Iterable[Any]) -> dict[str, NDArray[Any]]:
    """Return all items as arrays by the names of fields.

    An item is a mapping of names to values; or a tuple of values; or one value. Values without a
    name are called after what they are: ``image``, ``vector``, ``text``, ``label`` for an integer,
    ``number``. They are arrays, tensors, Pillow images, numbers or ``str``.

    Args:
        items: they must end.

    Raises:
        DataError: no items, items that differ in fields or shape, or too many for the memory.
    """
    chunks: dict[str, list[NDArray[Any]]] = {}
    shapes: dict[str, tuple[int, ...]] = {}
    count = size = 0
    iterator = iter(items)
    while some := list(islice(iterator, _CHUNK)):
        rows = [_fields(item) for item in some]
        shapes = shapes or {name: np.shape(value) for name, value in rows[0].items()}
        for number, row in enumerate(rows, count):
            _check_row(number, {name: np.shape(value) for name, value in row.items()}, shapes)
        for name in shapes:
            stacked = _stacked([row[name] for row in rows])
            chunks.setdefault(name, []).append(stacked)
            size += stacked.nbytes
        count += len(rows)
        if size > machine_bytes() // 2:
            raise DataError(
                f"Expected data that fits this machine's memory; the first {count:,} items have "
                f"{size / 2**30:.1f} GiB.",
                "Does it end? Write the items to files for more: genkit.data.FileSource.",
            )
    if not count:
        raise DataError("Expected at least one item; received none.")
    return {name: _joined(parts, count) for name, parts in chunks.items()}


def _fields(item: Any) -> dict[str, Any]:
    if isinstance(item, Mapping):
        return {str(name): _value(value) for name, value in item.items()}
    if isinstance(item, list) and not all(isinstance(each, (int, float)) for each in item):
        item = tuple(item)
    values = [_value(value) for value in (item if isinstance(item, tuple) else (item,))]
    named: dict[str, Any] = {}
    for value in values:
        name = next(_free(_name(value), named))
        named[name] = value
    return named


def _free(name: str, taken: Mapping[str, Any]) -> Iterator[str]:
    yield from (
        each for each in (name, *(f"{name}_{n}" for n in range(2, 100))) if each not in taken
    )


def _value(value: Any) -> Any:
    """Return a value as an array or a ``str``; of an image the channels stand last."""
    if isinstance(value, str):
        return value
    if hasattr(value, "getbands"):  # Pillow's
        gray = value.mode in ("1", "L", "LA", "I", "I;16", "F")
        return np.asarray(value.convert("L" if gray else "RGB")).reshape(
            (value.height, value.width, -1)
        )
    if hasattr(value, "detach"):  # a tensor of PyTorch: its images have the channels first
        array = value.detach().cpu().numpy()
        first = array.ndim == _IMAGE_AXES and array.shape[0] in CHANNELS
        return np.moveaxis(array, 0, -1) if first and array.shape[2] not in CHANNELS else array
    try:
        return np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"Expected numbers, text or images in an item; {type(value).__name__} is none: {error}."
        ) from error


def _name(value: Any) -> str:
    if isinstance(value, str) or value.dtype.kind in "UT":
        return "text"
    if value.ndim == 0:
        return "label" if value.dtype.kind in "bui" else "number"
    return _NAMES.get(value.ndim, "values")


def _check_row(
    number: int, shapes: Mapping[str, tuple[int, ...]], first: Mapping[str, tuple[int, ...]]
) -> None:
    if shapes.keys() != first.keys():
        raise DataError(
            f"Expected the fields {', '.join(first)} in every item; item {number} has "
            f"{', '.join(shapes)}."
        )
    for name, shape in shapes.items():
        if shape != first[name]:
            raise DataError(
                f"Expected items of one shape; {name!r} of item {number} has {shape}, that of the "
                f"first {first[name]}.",
                "Bring them to one shape first.",
            )


def _stacked(values: list[Any]) -> NDArray[Any]:
    if isinstance(values[0], str):
        return np.array(values, object)
    return np.stack(values)


def _joined(parts: list[NDArray[Any]], count: int) -> NDArray[Any]:
    if parts[0].dtype == object:
        return np.concatenate(parts)
    dtype = np.result_type(*{part.dtype for part in parts})
    joined = allocate((count, *parts[0].shape[1:]), dtype.str)
    start = 0
    while parts:
        part = parts.pop(0)
        joined[start : start + len(part)] = part
        start += len(part)
    return joined
