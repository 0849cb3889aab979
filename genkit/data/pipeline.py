"""Apply transforms to a source: those without chance once, random ones to every batch."""

from __future__ import annotations

import copy
import hashlib
from typing import TYPE_CHECKING, Any

from genkit.data.source import ArraySource, Batch, Source, allocate
from genkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.random import Generator
    from numpy.typing import NDArray

    from genkit.data.transforms import Transform
    from genkit.plugins.specs import Field

_CHUNK = 256


def transformed(source: Source, transforms: Sequence[Transform]) -> Source:
    """Return the source with transforms applied to its images.

    Those without chance are applied now to data in arrays, and at every ``gather`` to other
    data. Random ones become the new source's ``augment``, which the loader applies.

    Args:
        source: data with a field of modality ``"image"``; it stays as it is.
        transforms: as ``parse_transforms`` gives them, random ones last.

    Raises:
        UsageError: the source has random transforms already and others were to follow them.
        DataError: the data has no images, or they don't suit.
    """
    if not transforms:
        return source
    certain = [transform for transform in transforms if not transform.random]
    if certain and source.augment:
        raise UsageError(f"Expected no transforms after random ones; received {certain}.")
    name = source.schema.name_of("image")
    augment = (*source.augment, *(transform for transform in transforms if transform.random))
    if certain and isinstance(source, ArraySource):
        images, field = _apply_to_all(source.arrays[name], source.schema[name], certain)
        schema = source.schema.replace(**{name: field})
        result: Source = ArraySource({**source.arrays, name: images}, schema)
    else:
        result = _LazySource(source, name, certain) if certain else copy.copy(source)
    result.augment, result.assets = augment, source.assets
    result.skipped, result.left_out = source.skipped, source.left_out
    return result


def augmented(source: Source, batch: Batch, rng: Generator) -> Batch:
    """Return the batch with the source's random transforms applied."""
    if not source.augment:
        return batch
    name = source.schema.name_of("image")
    images = batch[name]
    for transform in source.augment:
        images = transform(images, source.schema[name], rng)
    return {**batch, name: images}


class _LazySource(Source):
    """Transforms images whenever they are gathered, for data that isn't in arrays."""

    def __init__(self, source: Source, name: str, transforms: Sequence[Transform]) -> None:
        self._source, self._name, self._transforms = source, name, tuple(transforms)
        self.schema = source.schema.replace(**{name: _output(source.schema[name], transforms)})

    def __len__(self) -> int:
        return len(self._source)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices."""
        batch = self._source.gather(indices)
        field = self._source.schema[self._name]
        return {**batch, self._name: _apply(batch[self._name], field, self._transforms)}

    def fingerprint(self) -> str:
        """Return the SHA-256 of the source's contents and the transforms."""
        made = f"{self._source.fingerprint()} {self._transforms}"
        return hashlib.sha256(made.encode()).hexdigest()


def _output(field: Field, transforms: Sequence[Transform]) -> Field:
    for transform in transforms:
        field = transform.output(field)
    return field


def _apply(images: NDArray[Any], field: Field, transforms: Sequence[Transform]) -> NDArray[Any]:
    for transform in transforms:
        images = transform(images, field)
        field = transform.output(field)
    return images


def _apply_to_all(
    images: NDArray[Any], field: Field, transforms: Sequence[Transform]
) -> tuple[NDArray[Any], Field]:
    made = _output(field, transforms)
    result = allocate((len(images), *(size or 0 for size in made.shape)), made.dtype)
    for start in range(0, len(images), _CHUNK):
        chunk = images[start : start + _CHUNK]
        result[start : start + len(chunk)] = _apply(chunk, field, transforms)
    return result, made
