"""Checks of transforms: on toy items, or on those of a data set of their modality."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.varying import items_of
from genkit.plugins.specs import resolve
from genkit.testing.check import checks
from genkit.testing.data import sources_of
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from genkit.data import Transform
    from genkit.plugins.specs import Field
    from genkit.testing.subjects import Subject

_ITEMS = 8
_TOLERANCE = 1e-5


@checks("transforms")
def check_transform_is_as_declared(subject: Subject) -> None:
    """What comes out is as ``output`` says and follows from what came in, which stays the same."""
    for transform, field, items in _tried(subject):
        if transform.modality != subject.spec.modality:
            raise CheckFailed(
                f"Expected a transform of {subject.spec.modality}, as its record says; received "
                f"one of {transform.modality}.",
                "Set the class attribute `modality`.",
            )
        declared, before = transform.output(field), items.copy()
        made = transform(items, field, np.random.default_rng(0))
        if not np.array_equal(items, before):
            raise CheckFailed(
                "Expected the items that come in to stay as they are; it writes there."
            )
        if not np.array_equal(made, transform(items, field, np.random.default_rng(0))):
            raise CheckFailed(
                "Expected the same from the same items and generator; it differs.",
                "Draw from the generator it is given, and nowhere else.",
            )
        shape = tuple(made.shape[1:])
        fits = len(shape) == len(declared.shape) and all(
            wanted in (None, size) for wanted, size in zip(declared.shape, shape, strict=True)
        )
        if len(made) != len(items) or not fits or made.dtype != np.dtype(declared.dtype):
            raise CheckFailed(
                f"Expected {declared.dtype} of shape {(len(items), *declared.shape)}, as `output` "
                f"says; received {made.dtype} of shape {made.shape}."
            )
        low, high = declared.range or (-np.inf, np.inf)
        if made.size and not low <= made.min() <= made.max() <= high:
            raise CheckFailed(
                f"Expected values from {low:g} to {high:g}, as `output` says; received "
                f"{made.min():g} to {made.max():g}."
            )
        if transform.random and declared != field:
            raise CheckFailed(
                f"Expected a random transform to keep the field; received {declared}."
            )


@checks("transforms")
def check_transform_is_undone(subject: Subject) -> None:
    """Where the record says so, ``undo`` gives the items back, to rounding."""
    if not subject.spec.undone:
        raise Skipped("its record does not say that it can be undone")
    for transform, field, items in _tried(subject):
        back = transform.undo(transform(items, field, np.random.default_rng(0)), field)
        if back.dtype != items.dtype or back.shape != items.shape:
            raise CheckFailed(
                f"Expected undo() to give {items.dtype} of shape {items.shape}; received "
                f"{back.dtype} of shape {back.shape}."
            )
        apart = np.abs(back.astype(np.float64) - items).max(initial=0.0)
        if not apart <= _TOLERANCE * field.span:
            raise CheckFailed(
                f"Expected undo() to give the items back; they differ by up to {apart:g}.",
                "Define it, or leave `undone` out of the record.",
            )


def _tried(subject: Subject) -> Iterator[tuple[Transform, Field, NDArray[Any]]]:
    """Yield the transform of each example, with the field and items to try it on."""
    spec = subject.spec
    source = next(sources_of(spec.modality, subject.distribution, _ITEMS))
    name = source.schema.name_of(spec.modality)
    batch, field = source.gather(np.arange(min(_ITEMS, len(source)))), source.schema[name]
    items = items_of(batch, source.schema, name)
    tried = [item[None] for item in items] if field.varies else [np.asarray(items)]
    for example in spec.examples:
        _, equals, value = (part.strip() for part in example.partition("="))
        transform = resolve(spec.transform).parse(value if equals else None)
        for each in tried:
            yield transform, field, each
