"""Data sets of PyTorch, TensorFlow and Hugging Face: read once, in their order, into arrays."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, Any

from genkit.data.item_streams import collect
from genkit.data.table_fields import Column, table_source
from genkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data.source import Source

_DEFAULT_COLLATE = ("default_collate", "default_convert")
_INFINITE = -1  # tf.data.INFINITE_CARDINALITY
_BATCH_OF_IMAGES = 4


def open_torch(data: Any) -> Mapping[str, NDArray[Any]]:
    """Open a PyTorch ``Dataset``, or that of a ``DataLoader``: GenKit makes batches itself.

    Raises:
        DataError: a loader that makes items anew, an endless data set, or items that don't fit
            together.
    """
    while hasattr(data, "collate_fn"):
        if getattr(data.collate_fn, "__name__", "") not in _DEFAULT_COLLATE:
            raise DataError(
                "Expected a DataLoader with the default collate_fn; received one of its own.",
                "Pass a function that makes an iterator of items instead.",
            )
        data = data.dataset
    if any(each.__name__ == "IterableDataset" for each in type(data).__mro__):
        return collect(data)
    if not hasattr(data, "__len__"):
        raise DataError(f"Expected a data set with a length; {type(data).__name__} has none.")
    return collect(data[number] for number in range(len(data)))


def open_tensorflow(data: Any) -> Mapping[str, NDArray[Any]]:
    """Open a ``tf.data.Dataset``; one of batches is taken apart into items.

    Raises:
        DataError: it repeats for ever, or has items that don't fit together.
    """
    if int(data.cardinality()) == _INFINITE:
        raise DataError(
            "Expected a data set that ends; received one that repeats for ever.",
            "Leave out repeat(): GenKit goes through the data as often as it needs.",
        )
    if _is_batched(data.element_spec):
        data = data.unbatch()
    return collect(map(_with_text, data.as_numpy_iterator()))


def _is_batched(spec: Any) -> bool:
    """Whether elements look like batches: of an unknown number of items, or of images."""
    parts = spec.values() if isinstance(spec, Mapping) else spec
    shapes = [part.shape for part in (parts if isinstance(spec, (Mapping, tuple)) else (spec,))]
    ranks = [shape.rank for shape in shapes]
    if None in ranks or 0 in ranks:
        return False
    return all(shape[0] is None for shape in shapes) or max(ranks) >= _BATCH_OF_IMAGES


def _with_text(item: Any) -> Any:
    """Return an item with its bytes as text."""
    if isinstance(item, Mapping):
        return {name: _with_text(value) for name, value in item.items()}
    if isinstance(item, tuple):
        return tuple(map(_with_text, item))
    return item.decode() if isinstance(item, bytes) else item


def open_hugging_face(data: Any) -> Source:
    """Open a ``datasets.Dataset`` or ``IterableDataset``; class labels keep their names.

    Raises:
        DataError: a dictionary of splits, values that are missing, or items that don't fit
            together.
    """
    if isinstance(data, Mapping):
        first = next(iter(data), "train")
        raise DataError(
            f"Expected one split; received {', '.join(map(str, data)) or 'none'}.",
            f"Choose one: dataset=data[{first!r}]",
        )
    arrays = collect(map(_complete, count(), data))
    return table_source({name: _column(data, name, values) for name, values in arrays.items()})


def _complete(number: int, row: Mapping[str, Any]) -> Mapping[str, Any]:
    missing = [name for name, value in row.items() if value is None]
    if missing:
        raise DataError(
            f"Expected a value in each row of {missing[0]!r}; row {number} has none.",
            "Drop such rows: data.filter(lambda row: None not in row.values())",
        )
    return row


def _column(data: Any, name: str, values: NDArray[Any]) -> Column:
    names = getattr((data.features or {}).get(name), "names", None)
    return Column(values, classes=tuple(map(str, names)) if names else None)
