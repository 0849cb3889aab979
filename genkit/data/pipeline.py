"""Apply transforms to a source: those without chance once, random ones to every batch."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.source import ArraySource, Batch, Source, allocate
from genkit.data.varying import Ragged, items_of
from genkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from genkit.data.transforms import Transform
    from genkit.plugins.specs import Field, Schema

_CHUNK = 256


def transformed(source: Source, transforms: Sequence[Transform]) -> Source:
    """Return the source with transforms applied, each to the first field of its modality.

    Those without chance are applied now to data in arrays, and at every ``gather`` to other
    data. Random ones become the new source's ``augment``, which the loader applies.

    Args:
        source: data with a field of each transform's modality; it stays as it is.
        transforms: as ``parse_transforms`` gives them, random ones last.

    Raises:
        UsageError: the source has random transforms already and others were to follow them.
        DataError: the data has no such field, or it doesn't suit.
    """
    if not transforms:
        return source
    certain = [transform for transform in transforms if not transform.random]
    if certain and source.augment:
        raise UsageError(f"Expected no transforms after random ones; received {certain}.")
    augment = (*source.augment, *(transform for transform in transforms if transform.random))
    for transform in transforms:
        source.schema.name_of(transform.modality)
    if certain and isinstance(source, ArraySource):
        arrays, schema = dict(source.arrays), source.schema
        for name, its in _by_field(schema, certain).items():
            arrays[name], field = _apply_to_all(arrays[name], schema[name], its)
            schema = schema.replace(**{name: field})
        result: Source = ArraySource(arrays, schema)
    else:
        result = _LazySource(source, certain) if certain else copy.copy(source)
    result.augment, result.assets = augment, source.assets
    result.assets_cost = source.assets_cost
    result.skipped, result.left_out = source.skipped, source.left_out
    return result


def augmented(source: Source, batch: Batch, rng: Generator) -> Batch:
    """Return the batch with the source's random transforms applied."""
    for transform in source.augment:
        name = source.schema.name_of(transform.modality)
        batch = _apply_to_batch(batch, name, source.schema, [transform], rng)
    return batch


class _LazySource(Source):
    """Transforms items whenever they are gathered, for data that isn't in arrays."""

    def __init__(self, source: Source, transforms: Sequence[Transform]) -> None:
        self._source, self._transforms = source, tuple(transforms)
        self._of_field = _by_field(source.schema, transforms)
        outputs = {name: _output(source.schema[name], its) for name, its in self._of_field.items()}
        self.schema = source.schema.replace(**outputs)

    def __len__(self) -> int:
        return len(self._source)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices."""
        batch = self._source.gather(indices)
        for name, transforms in self._of_field.items():
            batch = _apply_to_batch(batch, name, self._source.schema, transforms)
        return batch

    def fingerprint(self) -> str:
        """Return the SHA-256 of the source's contents and the transforms."""
        made = f"{self._source.fingerprint()} {self._transforms}"
        return hashlib.sha256(made.encode()).hexdigest()


def _by_field(schema: Schema, transforms: Sequence[Transform]) -> dict[str, list[Transform]]:
    """Return the transforms of each field, in their order."""
    found: dict[str, list[Transform]] = {}
    for transform in transforms:
        found.setdefault(schema.name_of(transform.modality), []).append(transform)
    return found


def _output(field: Field, transforms: Sequence[Transform]) -> Field:
    for transform in transforms:
        field = transform.output(field)
    return field


def _apply(
    items: NDArray[Any], field: Field, transforms: Sequence[Transform], rng: Generator | None = None
) -> NDArray[Any]:
    for transform in transforms:
        items = transform(items, field, rng)
        field = transform.output(field)
    return items


def _apply_to_batch(
    batch: Batch,
    name: str,
    schema: Schema,
    transforms: Sequence[Transform],
    rng: Generator | None = None,
) -> Batch:
    """Return a batch with a field of it transformed; items that vary in length one at a time."""
    field = schema[name]
    if not field.varies:
        return {**batch, name: _apply(batch[name], field, transforms, rng)}
    made = [_apply(item[None], field, transforms, rng)[0] for item in items_of(batch, schema, name)]
    dtype = _output(field, transforms).dtype
    padded, lengths = Ragged.of(made, dtype).padded(np.arange(len(made)))
    return {**batch, name: padded, f"{name}_length": lengths}


def _apply_to_all(
    images: NDArray[Any], field: Field, transforms: Sequence[Transform]
) -> tuple[NDArray[Any], Field]:
    made = _output(field, transforms)
    result = allocate((len(images), *(size or 0 for size in made.shape)), made.dtype)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        result[start : start + len(chunk)] = _apply(chunk, field, transforms)
    return result, made
