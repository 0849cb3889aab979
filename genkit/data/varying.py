"""Items that vary in length: held without padding, padded in batches, cut to their length again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.source import Batch
from genkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.plugins.schema import Schema

_SHORTEST = 8


class Ragged:
    """Arrays that differ in the length of their first axis, held end to end.

    Args:
        values: all items one after the other, shape ``(total length, ...)``.
        lengths: how long each is, integers of shape ``(items,)``; 0 is a length too.

    Raises:
        DataError: the lengths don't add up to the values.
    """

    def __init__(self, values: NDArray[Any], lengths: NDArray[np.integer]) -> None:
        self.values = np.asarray(values)
        self.lengths = np.asarray(lengths, np.int32)
        self._ends = np.cumsum(self.lengths, dtype=np.int64)
        total = int(self._ends[-1]) if len(self._ends) else 0
        if (self.lengths < 0).any() or self.values.ndim == 0 or total != len(self.values):
            raise DataError(
                f"Expected lengths that add up to {self.values.shape[:1]} values; received {total}."
            )

    @classmethod
    def of(cls, items: Sequence[Any], dtype: str) -> Ragged:
        """Hold items that stand in a sequence.

        Args:
            items: what NumPy makes arrays of, at least one; alike but for their first axis.
            dtype: of the values, as NumPy calls it.

        Raises:
            DataError: no items, or they differ in more than their length.
        """
        arrays = [np.asarray(item, dtype) for item in items]
        kinds = {array.shape[1:] for array in arrays if array.ndim}
        if len(kinds) != 1 or any(array.ndim == 0 for array in arrays):
            raise DataError(
                "Expected items that differ in the length of their first axis alone; received "
                f"{len(arrays)} with {sorted({array.shape for array in arrays})[:4]}."
            )
        return cls(np.concatenate(arrays), np.array([len(array) for array in arrays]))

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> NDArray[Any]:
        end = int(self._ends[index])
        return self.values[end - int(self.lengths[index]) : end]

    def padded(self, indices: NDArray[np.integer]) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Return the items at some indices, zeros behind the shorter ones, and how long each is."""
        lengths = self.lengths[indices]
        longest = int(lengths.max(initial=0))
        rows = np.zeros((len(indices), longest, *self.values.shape[1:]), self.values.dtype)
        for row, index, length in zip(rows, indices, lengths, strict=True):
            row[:length] = self[int(index)]
        return rows, lengths


def bucket(length: int) -> int:
    """Return the length that items are padded to in a batch whose longest has this length.

    The next power of two, 8 at least: each shape of a batch is compiled, so there must be few.
    """
    return max(_SHORTEST, 1 << max(0, length - 1).bit_length())


def in_buckets(batch: Batch, schema: Schema) -> Batch:
    """Return a batch whose fields of varying length are padded to a bucket, with zeros.

    Args:
        batch: fields by name, those that vary with their ``<field>_length``.
        schema: what they are.

    Raises:
        DataError: a field varies, and its lengths are missing or don't fit.
    """
    result = dict(batch)
    for name, field in schema.fields.items():
        if name in batch and field.varies:
            size = bucket(int(lengths_of(batch, name).max(initial=0)))
            result[name] = _widened(batch[name][:, :size], size)
    return result


def of_one_shape(batches: tuple[Batch, ...], schema: Schema) -> tuple[Batch, ...]:
    """Return the batches of a step, their fields of varying length padded to one bucket.

    A step is compiled for the shapes of all its batches: with buckets of their own, four batches
    of three buckets would be 81 shapes.
    """
    sizes = {
        name: max(batch[name].shape[1] for batch in batches)
        for name, field in schema.fields.items()
        if name in batches[0] and field.varies
    }
    return tuple(
        {**batch, **{name: _widened(batch[name], size) for name, size in sizes.items()}}
        for batch in batches
    )


def _widened(rows: NDArray[Any], size: int) -> NDArray[Any]:
    """Return rows with zeros behind, up to a size of their second axis."""
    if rows.shape[1] == size:
        return rows
    return np.pad(rows, [(0, 0), (0, size - rows.shape[1]), *[(0, 0)] * (rows.ndim - 2)])


def items_of(batch: Batch, schema: Schema, name: str) -> NDArray[Any] | list[NDArray[Any]]:
    """Return the items of a field as people know them: each cut to its length.

    Args:
        batch: what ``Source.gather`` gives.
        schema: what it is.
        name: of the field.

    Returns:
        an array with the items on its first axis; a list of arrays if the field varies.

    Raises:
        DataError: the field varies, and its lengths are missing or don't fit.
    """
    if not schema[name].varies:
        return batch[name]
    lengths = lengths_of(batch, name)
    return [row[:length] for row, length in zip(batch[name], lengths, strict=True)]


def lengths_of(batch: Batch, name: str) -> NDArray[np.int32]:
    """Return how long each item of a field is in a batch.

    Raises:
        DataError: the lengths are missing or don't fit.
    """
    lengths, rows = batch.get(f"{name}_length"), batch[name]
    if lengths is None:
        raise DataError(
            f"Expected the array '{name}_length' beside {name!r}, which varies in length; "
            f"received {', '.join(batch)}.",
            "Return it from gather(): int32, one number an item.",
        )
    most = rows.shape[1] if rows.ndim > 1 else 0
    if (
        lengths.shape != rows.shape[:1]
        or lengths.min(initial=0) < 0
        or lengths.max(initial=0) > most
    ):
        raise DataError(
            f"Expected '{name}_length' from 0 to {most} for each of {len(rows)} items; received "
            f"{lengths.min(initial=0)} to {lengths.max(initial=0)}, shape {lengths.shape}."
        )
    return lengths
