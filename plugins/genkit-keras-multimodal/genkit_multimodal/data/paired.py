"""Data sets joined by label: each item of one has partners of its class in the others."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

import genkit
from genkit.data import Batch, Source, Subset, vocabulary_of
from genkit.errors import DataError, UsageError

if TYPE_CHECKING:
    from genkit_multimodal.data.configs import PairedConfig

LABEL = "label"
CLASS = "class"
"""The field and modality of what items have in common, where no model shall learn it."""
_ROWS = 4096  # items at a time
_HELD_OUT = 10  # of data without splits every tenth item


def open_paired(config: PairedConfig) -> PairedSource:
    """Open data sets and join them by label.

    Raises:
        DataError: a set has no labels, none in common with the others, or can't be read.
        UsageError: settings of a set that isn't joined.
    """
    names = [name for name in config.sets if name != LABEL]
    settings = _settings_of(names, config.settings)
    parts = {name: _opened(name, settings[name], config.split) for name in names}
    seed = config.pair_seed if config.split == "train" else 0  # test pairs are the same for all
    joined = PairedSource(
        parts,
        seed=seed,
        per_item=config.per_item if config.split == "train" else 1,
        limit=config.limit,
        with_label=LABEL in config.sets,
    )
    if config.split == "train":
        joined.tell()
    return joined


class PairedSource(Source):
    """Items of several sources, of which those of one class stand together.

    Of each class the source with the most items sets how many pairs there are; the others' items
    take turns. Which go together follows from the seed. The fields are those of all sources but
    their labels; where two have one name, that of the data set stands before it. What they have in
    common is the field ``label``, or ``class`` where it is there for judges alone.

    Args:
        parts: the sources by name, each with a label.
        seed: of who is whose partner, and of the order.
        per_item: pairs that each item of the largest source of its class is in.
        limit: keeps the first so many pairs.
        with_label: whether the label is a modality to learn.

    Raises:
        DataError: a source has no label, or they have no class in common.
    """

    def __init__(
        self,
        parts: Mapping[str, Source],
        *,
        seed: int = 0,
        per_item: int = 1,
        limit: int | None = None,
        with_label: bool = False,
    ) -> None:
        self.parts = dict(parts)
        labels = {name: _labels(name, part) for name, part in self.parts.items()}
        shared = set.intersection(*(set(names.tolist()) for names in labels.values()))
        order = _class_names(next(iter(self.parts.values())))
        self.classes = tuple(each for each in order if each in shared)
        if not self.classes:
            raise DataError(
                f"Expected {', '.join(self.parts)} to have classes in common; they have none.",
                "Classes are the same where they have the same name: genkit info DATASET",
            )
        self.rows, self.labels = _join(labels, self.classes, seed, per_item)
        self.rows, self.labels = self.rows[:, :limit], self.labels[:limit]
        self._names = _names(self.parts)
        key = LABEL if with_label else CLASS
        fields = {
            new: part.schema[old]
            for name, part in self.parts.items()
            for old, new in self._names[name].items()
        }
        if key in fields:
            raise DataError(f"Expected data without a field {key!r}; received one.")
        fields[key] = genkit.Field((), "int32", key, classes=self.classes)
        self.schema = genkit.Schema(fields)
        self.assets = MappingProxyType(
            {name: asset for part in self.parts.values() for name, asset in part.assets.items()}
        )
        self.augment = tuple(each for part in self.parts.values() for each in part.augment)
        self.skipped = sum(part.skipped for part in self.parts.values())
        self.left_out = {
            f"{name}: {reason}": count
            for name, part in self.parts.items()
            for reason, count in {
                **part.left_out,
                **_without_partner(labels[name], self.classes),
            }.items()
        }

    def __len__(self) -> int:
        return len(self.labels)

    def gather(self, indices: np.ndarray) -> Batch:
        """Return the pairs at these indices."""
        batch: Batch = {}
        for (name, part), rows in zip(self.parts.items(), self.rows, strict=True):
            # A row may be there twice, which a source may read twice.
            items = part.gather(rows[indices])
            for old, new in self._names[name].items():
                batch[new] = items[old]
                for what, companion in part.schema.companions(old).items():
                    batch[f"{new}_{what}"] = items[companion]
        batch[list(self.schema.fields)[-1]] = self.labels[indices]
        return batch

    def fingerprint(self) -> str:
        """Return the SHA-256 of the sources' fingerprints, the schema, and who is with whom."""
        digest = hashlib.sha256(json.dumps(self.schema.to_dict()).encode())
        for part in self.parts.values():
            digest.update(part.fingerprint().encode())
        digest.update(self.rows.astype("<i8").tobytes())
        return digest.hexdigest()

    def tell(self) -> None:
        """Warn of what a reader of the pairs should know: items that are there again, or not."""
        used = [len(np.unique(rows)) for rows in self.rows]
        counts = ", ".join(
            f"{number:,} of {name}" for name, number in zip(self.parts, used, strict=True)
        )
        told = [f"{len(self):,} pairs of {counts}"]
        if len(set(used)) > 1:
            told.append("the fewer are there several times")
        if self.left_out:
            reasons = [f"{reason} {count:,}" for reason, count in self.left_out.items()]
            told.append(f"left out: {', '.join(reasons)}")
        if len(told) > 1:
            warnings.warn(f"{'; '.join(told)}.", stacklevel=2)


def _opened(name: str, settings: Mapping[str, str], split: str) -> Source:
    """Open a split of a data set; of one without splits every tenth item is held out."""
    unseen = split == "test"
    source = genkit.open_dataset(name, settings, unseen=unseen)
    if genkit.info(name).get("splits"):
        return source
    places = np.arange(len(source))
    held_out = places % _HELD_OUT == 0
    return Subset(source, places[held_out if unseen else ~held_out])


def _settings_of(names: list[str], given: tuple[str, ...]) -> dict[str, dict[str, str]]:
    settings: dict[str, dict[str, str]] = {name: {} for name in names}
    for each in given:
        key, equals, value = each.partition("=")
        name, dot, setting = key.rpartition(".")
        if not (equals and dot) or name not in settings or setting == "split":
            raise UsageError(
                f"Expected settings as SET.KEY=VALUE, SET one of {', '.join(names)}, KEY not "
                f"split; received {each!r}."
            )
        settings[name][setting] = value
    return settings


def _labels(name: str, source: Source) -> np.ndarray:
    """Return the name of each item's class, shape ``(items,)``."""
    fields = [each for each, field in source.schema.fields.items() if field.modality == LABEL]
    if not fields:
        raise DataError(
            f"Expected data with labels to join; {name} has {', '.join(source.schema.fields)}.",
            "Labels of an image folder are its sub-folders, one a class.",
        )
    parts = np.array_split(np.arange(len(source)), -(-len(source) // _ROWS))  # pictures are large
    numbers = np.concatenate([source.gather(part)[fields[0]] for part in parts])
    return np.asarray(_class_names(source), object)[numbers]


def _class_names(source: Source) -> tuple[str, ...]:
    """Return the names of a source's classes, in the order of their numbers."""
    field = source.schema.name_of(LABEL)
    names = vocabulary_of(source.schema, field, source.assets)
    if not names:
        raise DataError(f"Expected classes that have names; those of {field!r} have none.")
    return names


def _join(
    labels: Mapping[str, np.ndarray], classes: tuple[str, ...], seed: int, per_item: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose partners.

    Returns:
        row numbers of each source, int ``(sources, pairs)``, and the pairs' class numbers, int32.
    """
    columns, numbers = [], []
    for number, each in enumerate(classes):
        there = [np.flatnonzero(names == each) for names in labels.values()]
        count = max(map(len, there)) * per_item
        rng = np.random.default_rng([seed, number])
        columns.append(np.stack([_in_turn(rows, count, rng) for rows in there]))
        numbers.append(np.full(count, number, "int32"))
    order = np.random.default_rng([seed, len(classes)]).permutation(sum(map(len, numbers)))
    return np.concatenate(columns, axis=1)[:, order], np.concatenate(numbers)[order]


def _in_turn(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return so many of some rows, each as often as the others, in an order anew each turn."""
    turns = -(-count // len(rows))
    return np.concatenate([rng.permutation(rows) for _ in range(turns)])[:count]


def _without_partner(labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, int]:
    strange = Counter(labels[~np.isin(labels, list(classes))].tolist())
    return {f"no partner of the class {name!r}": count for name, count in strange.items()}


def _names(parts: Mapping[str, Source]) -> dict[str, dict[str, str]]:
    """Return what the fields of each source are called among all, labels left out."""
    kept = {
        name: [each for each, field in part.schema.fields.items() if field.modality != LABEL]
        for name, part in parts.items()
    }
    often = Counter(field for fields in kept.values() for field in fields)
    if repeated := [field for field, count in often.items() if count > 1]:
        for name, part in parts.items():
            if part.augment and set(kept[name]) & set(repeated):
                raise DataError(
                    f"Expected data without random transforms where two have a field "
                    f"{repeated[0]!r}; {name} has some."
                )
    return {
        name: {
            field: field
            if often[field] == 1
            else f"{name.rpartition('/')[2]}_{field}".replace("-", "_")
            for field in fields
        }
        for name, fields in kept.items()
    }
