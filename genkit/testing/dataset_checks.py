"""Checks of data sets."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from genkit.testing.check import checks
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data import Source
    from genkit.plugins.specs import Field
    from genkit.testing.data import DatasetSubject

_LOOKED_AT = 512
_BATCH = 4
_TWINS = 0.01
"""Share of a split's items that may also be in the other: real data has twins."""


@checks("datasets")
def check_opens(subject: DatasetSubject) -> None:
    """It opens as a ``genkit.data.Source`` of at least one item, with the modality it declares."""
    from genkit.data import Source

    source = subject.source
    if not isinstance(source, Source):
        raise CheckFailed(
            f"Expected a genkit.data.Source; received {type(source).__name__}.",
            "Give arrays through genkit.data.as_source, or subclass Source.",
        )
    if len(source) < 1:
        raise CheckFailed(f"Expected at least one item; received {len(source)}.")
    source.schema.name_of(subject.spec.modality)


@checks("datasets")
def check_items_are_as_the_schema_declares(subject: DatasetSubject) -> None:
    """Names, shapes, dtypes, ranges and class numbers of items are those of the schema."""
    source = subject.source
    indices = _some(source)
    batch = source.gather(indices)
    if batch.keys() != source.schema.fields.keys():
        raise CheckFailed(
            f"Expected the fields {sorted(source.schema.fields)}; received {sorted(batch)}."
        )
    for name, field in source.schema.fields.items():
        _check_field(name, field, np.asarray(batch[name]), len(indices))


@checks("datasets")
def check_reads_the_same_again(subject: DatasetSubject) -> None:
    """Items at an index are the same in any order, at any time, and opened anew."""
    source = subject.source
    indices = _some(source)
    first = source.gather(indices)
    backwards = source.gather(indices[::-1])
    again = subject.open().gather(indices)
    for name, array in first.items():
        if not _equal(array, backwards[name][::-1]):
            raise CheckFailed(
                f"Expected {name!r} at an index whatever the order; it depends on the order.",
                "gather(indices) must give row i of the data at place k where indices[k] is i.",
            )
        if not _equal(array, again[name]):
            raise CheckFailed(
                f"Expected the same {name!r} when the data is opened again; it differs.",
                "Draw what is random from a seed that is a setting.",
            )


@checks("datasets")
def check_fingerprint_is_of_the_content(subject: DatasetSubject) -> None:
    """The fingerprint is the same opened anew, and another one for other items."""
    source = subject.source
    mark = source.fingerprint()
    if subject.open().fingerprint() != mark:
        raise CheckFailed(
            "Expected the same fingerprint when the data is opened again; it differs.",
            "Make it of shapes, dtypes and contents only: no time, no path.",
        )
    if "limit" in subject.config_class.model_fields and len(source) > 1:
        fewer = subject.open(limit=len(source) - 1)
        if len(fewer) < len(source) and fewer.fingerprint() == mark:
            raise CheckFailed("Expected another fingerprint for fewer items; it is the same.")


@checks("datasets")
def check_batches_follow_the_seed(subject: DatasetSubject) -> None:
    """The same seed gives the same batches, also from the middle; another seed gives others."""
    source = subject.source
    first, again, middle, other = (
        _batches(source, seed, start) for seed, start in ((0, 0), (0, 0), (0, 2), (1, 0))
    )
    if not _same(first, again):
        raise CheckFailed(
            "Expected the same batches from the same seed; they differ.",
            "Draw in augmentations from the generator they are given, and nowhere else.",
        )
    if not _same(first[2:], middle[:-2]):
        raise CheckFailed("Expected the batches from step 2 on to be those of the whole run.")
    if len(source) > 2 * _BATCH and _same(first, other):
        raise CheckFailed("Expected other batches from another seed; they are the same.")


@checks("datasets")
def check_splits_are_disjoint(subject: DatasetSubject) -> None:
    """No item for training is among those for testing; one in a hundred may have a twin there."""
    field = subject.config_class.model_fields.get("split")
    if field is None or not {"train", "test"} <= set(get_args(field.annotation)):
        raise Skipped("it has no setting `split` with train and test")
    parts = [_digests(subject.open(split=split)) for split in ("train", "test")]
    shared = len(parts[0] & parts[1])
    if shared > _TWINS * min(map(len, parts)):
        raise CheckFailed(
            f"Expected splits that share no items; {shared} of {min(map(len, parts))} test items "
            "are training items too."
        )


def _some(source: Source) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, len(source) - 1, min(_LOOKED_AT, len(source))).astype(np.intp))


def _check_field(name: str, field: Field, array: NDArray[Any], count: int) -> None:
    shape = array.shape[1:]
    fits = len(shape) == len(field.shape) and all(
        wanted in (None, size) for wanted, size in zip(field.shape, shape, strict=True)
    )
    if len(array) != count or not fits:
        raise CheckFailed(
            f"Expected {name!r} of shape {(count, *field.shape)}; received {array.shape}."
        )
    if field.dtype == "string":
        if not all(isinstance(item, str) for item in array.flat):
            raise CheckFailed(f"Expected text in {name!r}; received other values.")
        return
    if array.dtype != np.dtype(field.dtype):
        raise CheckFailed(f"Expected {name!r} as {field.dtype}; received {array.dtype}.")
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        raise CheckFailed(f"Expected finite values in {name!r}; received {low} to {high}.")
    bounds = (0, len(field.classes) - 1) if field.classes else field.range
    if bounds is not None and (low < bounds[0] or high > bounds[1]):
        raise CheckFailed(
            f"Expected {name!r} from {bounds[0]:g} to {bounds[1]:g}; received {low:g} to {high:g}."
        )


def _batches(source: Source, seed: int, start: int) -> list[dict[str, NDArray[Any]]]:
    from genkit.data import Loader

    size = min(_BATCH, len(source))
    with Loader(source, batch_size=size, seed=seed, start_step=start) as loader:
        return [next(loader) for _ in range(5)]


def _same(first: list[dict[str, NDArray[Any]]], second: list[dict[str, NDArray[Any]]]) -> bool:
    return all(
        all(_equal(a[name], b[name]) for name in a) for a, b in zip(first, second, strict=False)
    )


def _equal(first: NDArray[Any], second: NDArray[Any]) -> bool:
    return bool(first.shape == second.shape and np.all(first == second))


def _digests(source: Source) -> set[bytes]:
    """Return a digest of each item: of its images or whatever else it has, but the label."""
    names = [n for n, field in source.schema.fields.items() if field.modality != "label"]
    found = set()
    for start in range(0, len(source), _LOOKED_AT):
        batch = source.gather(np.arange(start, min(start + _LOOKED_AT, len(source))))
        columns = [np.asarray(batch[name]) for name in names or batch]
        for row in zip(*columns, strict=True):
            content = b"\0".join(
                str(cell).encode() if isinstance(cell, str) else np.asarray(cell).tobytes()
                for cell in row
            )
            found.add(hashlib.blake2b(content, digest_size=16).digest())
    return found
