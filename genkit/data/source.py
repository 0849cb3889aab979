"""Sources: data that hands over whole batches by index."""

from __future__ import annotations

import abc
import hashlib
import json
import os
import tempfile
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit.files import reason_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator

    from genkit.data.transforms import Transform
    from genkit.plugins.specs import Field, Schema

Batch: TypeAlias = dict[str, NDArray[Any]]
"""A batch: arrays by the names of fields."""

MEMORY_LIMIT = 1 << 30
_CHUNK_BYTES = 1 << 24


class Source(abc.ABC):
    """Data of a fixed length, read a batch at a time.

    Attributes:
        schema: what one item is.
        augment: random transforms; the loader applies them, in order, to every batch.
        skipped: how many items were left out because they could not be read.
        left_out: all that was left out and could have been items, counted by reason; it is kept
            with the run.
        assets: arrays by name that a model trained on this data needs when it is used, beside the
            schema: maps of ids, titles. They are kept with the run and the exported model.
        assets_cost: epsilon and delta of the guarantee that schema and assets come with, of data
            sets of which one has one item more: ``(0, 0)`` where they follow from settings alone.
            Private training may keep them then, and adds it to its own. None: without a guarantee.
    """

    schema: Schema
    augment: tuple[Transform, ...] = ()
    skipped: int = 0
    left_out: Mapping[str, int] = MappingProxyType({})
    assets: Mapping[str, NDArray[Any]] = MappingProxyType({})
    assets_cost: tuple[float, float] | None = None

    @abc.abstractmethod
    def __len__(self) -> int:
        """Count the items."""

    @abc.abstractmethod
    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices, in one call.

        Args:
            indices: integers, shape ``(batch,)``.

        Returns:
            an array for each field of the schema, in its dtype, shape ``(batch, *field.shape)``.
        """

    def draw(self, indices: NDArray[np.integer], rng: Generator) -> Batch:  # noqa: ARG002
        """Draw what is random in a training batch and depends on its items; by default nothing.

        Args:
            indices: of the batch's items, shape ``(batch,)``.
            rng: the only source of randomness to use.

        Returns:
            arrays by name, first axis ``batch``, put beside the fields or in their place.
        """
        return {}

    @abc.abstractmethod
    def fingerprint(self) -> str:
        """Return the SHA-256 of shapes, dtypes and contents; the same on every machine."""


class ArraySource(Source):
    """Data held in arrays.

    Args:
        arrays: an array for each field of the schema, the first axis the items. Text fields
            (dtype ``"string"``) are arrays of ``str``.
        schema: what one item is.

    Raises:
        DataError: the arrays don't fit the schema, differ in length, or are empty.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]], schema: Schema) -> None:
        if set(arrays) != set(schema.fields):
            raise DataError(
                f"Expected arrays named {', '.join(sorted(schema.fields))}; "
                f"received {', '.join(sorted(arrays)) or 'none'}."
            )
        self.schema = schema
        self.arrays = {
            name: _checked(name, np.asarray(arrays[name]), field)
            for name, field in schema.fields.items()
        }
        lengths = {name: len(array) for name, array in self.arrays.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise DataError(f"Expected arrays of equal length; received {listed}.")
        self._length = next(iter(lengths.values()))
        if not self._length:
            raise DataError("Expected at least one item; received none.")

    def __len__(self) -> int:
        return self._length

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices."""
        return {name: array[indices] for name, array in self.arrays.items()}

    def fingerprint(self) -> str:
        """Return the SHA-256 of shapes, dtypes and contents; the same on every machine."""
        return content_digest(self.schema, self.arrays)

    def select(self, rows: NDArray[np.integer]) -> ArraySource:
        """Return a source of some of the items, in the order of ``rows``."""
        chosen = ArraySource(self.gather(rows), self.schema)
        chosen.skipped, chosen.left_out = self.skipped, self.left_out
        return chosen


class Sliceable(Protocol):
    """What a slice makes an array of: an array, or items that are read when they are needed."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The number of rows, and the shape of each."""

    @property
    def nbytes(self) -> int:
        """Size of all rows."""

    def __getitem__(self, wanted: slice, /) -> NDArray[Any]:
        """Return some rows."""


def content_digest(schema: Schema, arrays: Mapping[str, Sliceable]) -> str:
    """Return the SHA-256 of the fields' shapes, dtypes and contents."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        header = [name, schema[name].dtype, list(array.shape)]
        digest.update(json.dumps(header).encode())
        length = array.shape[0]
        rows = max(1, _CHUNK_BYTES // max(1, array.nbytes // length))
        for start in range(0, length, rows):
            digest.update(bytes_of(array[start : start + rows]))
    return digest.hexdigest()


def allocate(shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
    """Make room for an array: in memory, or above 1 GiB in a file that has no name.

    Raises:
        DataError: neither the memory nor the temporary folder has the room.
    """
    size = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
    if size <= MEMORY_LIMIT:
        return np.empty(shape, dtype)
    try:
        with tempfile.TemporaryFile(prefix="genkit-") as file:
            if hasattr(os, "posix_fallocate"):  # else a full disk would kill on the first write
                os.posix_fallocate(file.fileno(), 0, size)
            return np.asarray(np.memmap(file, dtype, "w+", 0, shape))
    except OSError as error:
        raise DataError(
            f"Expected {size / 2**30:.1f} GiB of room in {tempfile.gettempdir()}; "
            f"{reason_of(error)}.",
            "Point TMPDIR to a folder on a larger disk, or use fewer or smaller items.",
        ) from error


def _checked(name: str, array: NDArray[Any], field: Field) -> NDArray[Any]:
    if field.dtype == "string":
        array = array.astype(object)
        if not all(isinstance(item, str) for item in array.flat):
            raise DataError(f"Expected text only in {name!r}; received other values too.")
    elif array.dtype != np.dtype(field.dtype):
        raise DataError(f"Expected {name!r} as {field.dtype}; received {array.dtype}.")
    shape = array.shape[1:]
    fits = len(shape) == len(field.shape) and all(
        wanted in (None, size) for wanted, size in zip(field.shape, shape, strict=True)
    )
    if array.ndim == 0 or not fits:
        raise DataError(
            f"Expected {name!r} of shape {('items', *field.shape)}; received {array.shape}."
        )
    if field.classes and array.size:
        low, high = int(array.min()), int(array.max())
        if low < 0 or high >= len(field.classes):
            raise DataError(
                f"Expected {name!r} from 0 to {len(field.classes) - 1}, one for each class; "
                f"received {low} to {high}."
            )
    return array


def bytes_of(array: NDArray[Any]) -> bytes:
    """Return what a fingerprint reads of an array: the same bytes on every machine."""
    if array.dtype == object:
        return json.dumps(array.tolist()).encode()
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
