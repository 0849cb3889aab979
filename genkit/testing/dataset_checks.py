"""Checks of data sets."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.subset import rows_per_class
from genkit.data.varying import items_of, lengths_of
from genkit.data.vocabulary import vocabulary_of
from genkit.plugins.config import parse
from genkit.testing.check import checks
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.data import Source
    from genkit.plugins.specs import Field
    from genkit.testing.data import DatasetSubject

_LOOKED_AT = 512
_BATCH = 4
_MOST_CLASSES = 1000
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
    if subject.spec.modality != "any":
        source.schema.name_of(subject.spec.modality)


@checks("datasets")
def check_items_are_as_the_schema_declares(subject: DatasetSubject) -> None:
    """Names, shapes, dtypes, ranges and class numbers of items are those of the schema.

    Items that vary in length come with their lengths, zeros behind them; values that may be missing
    with flags, and zeros in their place.
    """
    source = subject.source
    indices = _some(source)
    batch, schema = source.gather(indices), source.schema
    beside = [each for name in schema.fields for each in schema.companions(name).values()]
    if batch.keys() != {*schema.fields, *beside}:
        raise CheckFailed(
            f"Expected the arrays {sorted([*schema.fields, *beside])}; received {sorted(batch)}.",
            "gather() returns the fields, <field>_length of those that vary, and <field>_missing.",
        )
    for name, field in schema.fields.items():
        array = np.asarray(batch[name])
        there = np.ones(array.shape, bool)
        if field.missing:
            there &= ~_flags(batch, name, array)
        if field.varies:
            places = np.arange(array.shape[1]) < lengths_of(batch, name)[:, None]
            there &= places.reshape(*places.shape, *(1,) * (array.ndim - 2))
        _check_field(name, field, array, len(indices), there)


@checks("datasets")
def check_vocabularies_are_assets(subject: DatasetSubject) -> None:
    """Names of more than a thousand classes stand in an asset, not in every file; it is there."""
    source = subject.source
    for name, field in source.schema.fields.items():
        if len(field.classes) > _MOST_CLASSES:
            raise CheckFailed(
                f"Expected at most {_MOST_CLASSES} names of classes in the schema; {name!r} has "
                f"{len(field.classes)}, which every run and exported model would publish.",
                "Use genkit.data.with_vocabulary.",
            )
        vocabulary_of(source.schema, name, source.assets)


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
    if "limit" in subject.spec.subset and len(source) > 1:
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
def check_splits_and_subset_are_declared(subject: DatasetSubject) -> None:
    """The record names its splits and what chooses a subset, and the settings can do both."""
    settings, spec = subject.config_class.model_fields, subject.spec
    if "split" in settings and not spec.splits:
        raise CheckFailed(
            "Expected the record to name the values of its setting `split`; it names none.",
            'Add to the record: splits=("train", "test").',
        )
    needed = {*spec.subset, *(("split",) if spec.splits else ())}
    if missing := sorted(needed - settings.keys()):
        raise CheckFailed(f"Expected the settings {', '.join(missing)}, which the record names.")
    for split in spec.splits:
        parse(subject.config_class, {**subject.settings, "split": split}, f"split {split}")


@checks("datasets")
def check_subset_is_drawn_by_the_rule(subject: DatasetSubject) -> None:
    """``per_class``, ``subset_seed`` and ``subset`` keep the rows that ``rows_per_class`` draws."""
    if not {"per_class", "subset_seed", "subset"} <= set(subject.spec.subset):
        raise Skipped("its record names no such settings")
    whole = subject.source
    labels = [name for name, field in whole.schema.fields.items() if field.modality == "label"]
    if not labels:
        raise Skipped("its items have no labels")
    everything = whole.gather(np.arange(len(whole)))
    classes = len(whole.schema[labels[0]].classes)
    rows = rows_per_class(everything[labels[0]], classes, 1, 3, 1)
    opened = subject.open(per_class=1, subset_seed=3, subset=1)
    kept = opened.gather(np.arange(len(opened)))
    if not _same([kept], [{name: array[rows] for name, array in everything.items()}]):
        raise CheckFailed(
            "Expected per_class=1, subset_seed=3 and subset=1 to keep the rows that "
            "genkit.data.rows_per_class draws; others are kept.",
            "Choose the items with it, or leave the settings out of the record's `subset`.",
        )


@checks("datasets")
def check_splits_are_disjoint(subject: DatasetSubject) -> None:
    """No item for training is among those for testing; one in a hundred may have a twin there."""
    if not subject.spec.splits:
        raise Skipped("its record names no splits")
    names = (subject.spec.splits[0], subject.spec.held_out)
    parts = [_digests(subject.open(split=split)) for split in names]
    shared = len(parts[0] & parts[1])
    if shared > _TWINS * min(map(len, parts)):
        raise CheckFailed(
            f"Expected splits that share no items; {shared} of {min(map(len, parts))} test items "
            "are training items too."
        )


def _some(source: Source) -> NDArray[np.intp]:
    return np.unique(np.linspace(0, len(source) - 1, min(_LOOKED_AT, len(source))).astype(np.intp))


def _flags(batch: dict[str, NDArray[Any]], name: str, array: NDArray[Any]) -> NDArray[np.bool_]:
    flags = batch[f"{name}_missing"]
    if flags.dtype != np.bool_ or flags.shape != array.shape:
        raise CheckFailed(
            f"Expected '{name}_missing' as bool of shape {array.shape}; received {flags.dtype} of "
            f"shape {flags.shape}."
        )
    return flags


def _check_field(
    name: str, field: Field, array: NDArray[Any], count: int, there: NDArray[np.bool_]
) -> None:
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
    numbers = array.astype(np.int64) if array.dtype.kind in "mM" else array
    if numbers[~there].any():
        raise CheckFailed(
            f"Expected zeros in {name!r} behind each item and where values are missing; received "
            "others: a batch would depend on what isn't there."
        )
    if not there.any():
        return
    low, high = numbers[there].min().item(), numbers[there].max().item()
    if not (math.isfinite(low) and math.isfinite(high)):
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
        columns = [items_of(batch, source.schema, name) for name in names or source.schema.fields]
        for row in zip(*columns, strict=True):
            content = b"\0".join(
                str(cell).encode() if isinstance(cell, str) else np.asarray(cell).tobytes()
                for cell in row
            )
            found.add(hashlib.blake2b(content, digest_size=16).digest())
    return found
