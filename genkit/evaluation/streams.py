"""The items that metrics see, a batch at a time: memory doesn't grow with their number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data import items_of
from genkit.errors import RunError
from genkit.evaluation.kept_items import KeptItems
from genkit.evaluation.metric import Batch
from genkit.evaluation.real_store import MOST_OF_ONE, RealStore
from genkit.models.outputs import is_finite

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.evaluation.extractors.base import Extractor
    from genkit.evaluation.metric import Context
    from genkit.models.model import Model
    from genkit.plugins.schema import Schema
    from genkit.runs.model_workers import ModelWorkers

_FEATURES = "features"
_ROWS = 64  # of real items at a time


def batches_of(
    source: Source, field: str, extractor: Extractor | None, fields: Sequence[str] = ()
) -> Iterator[Batch]:
    """Return a source's items of a field in their order, with labels where there are any.

    Args:
        source: where they are from.
        field: what metrics look at first.
        extractor: makes their features.
        fields: all that the model generates, of which the source may lack some.
    """
    schema = source.schema
    label = next((n for n, f in schema.fields.items() if f.modality == "label"), None)
    for start in range(0, len(source), _ROWS):
        rows = source.gather(np.arange(start, min(start + _ROWS, len(source))))
        held = {name: _held(rows, schema, name) for name in (field, *fields) if name in schema}
        yield Batch(held[field], extractor, rows[label] if label is not None else None, start, held)


def batches_for(context: Context, source: Source, store: RealStore | None) -> Iterator[Batch]:
    """Return a source's items as the metrics of an evaluation see them.

    Args:
        context: says which fields, and what makes their features.
        source: real or training items.
        store: keeps features that take long to make; None: they are not kept.
    """
    extractor, fields = context.extractor, context.output_fields
    if extractor is None or not extractor.costly or store is None:
        return batches_of(source, fields[0], extractor, fields)
    return batches_with_kept_features(source, fields[0], extractor, store, fields)


def _held(rows: dict[str, np.ndarray], schema: Schema, name: str) -> Any:
    """Return the items of a field, each cut to its length, with what is missing masked."""
    missing = rows.get(f"{name}_missing")
    if missing is not None:
        return np.ma.MaskedArray(rows[name], missing)
    return items_of(rows, schema, name)


def knows_labels_of(model: Model, source: Source) -> bool:
    """Return whether a model is asked for the classes that a source's items have."""
    labels = [f.classes for f in source.schema.fields.values() if f.modality == "label"]
    return model.conditional and labels[:1] == [model.classes()]


def labels_to_ask(model: Model, source: Source, n: int, seed: int) -> np.ndarray | None:
    """Choose what to ask of a conditional model: the labels that a source has, shuffled.

    So samples have the source's proportions, exactly where ``n`` is a multiple of its length.
    Where the source has other classes than the model, or none, the classes take turns.

    Args:
        model: it may be unconditional, and is asked nothing then.
        source: what the samples are compared with.
        n: how many.
        seed: of the order; fewer labels are the first of more.

    Returns:
        class numbers, int, shape ``(n,)``, or None.
    """
    if not model.conditional:
        return None
    if not knows_labels_of(model, source):
        return model.class_numbers(n, None)
    batches = batches_of(source, model.generated_field(), None)
    found = [batch.labels for batch in batches if batch.labels is not None]
    return np.resize(np.random.default_rng(seed).permutation(np.concatenate(found)), n)


class _WithFeatures(Batch):
    """Items whose features are known, float32 of shape ``(n, dim)``."""

    def __init__(self, batch: Batch, features: np.ndarray, extractor: Extractor) -> None:
        super().__init__(batch.items, extractor, batch.labels, batch.begin, batch.fields)
        vars(self)["features"] = features  # where a cached property has its value


def batches_with_kept_features(
    source: Source,
    field: str,
    extractor: Extractor,
    store: RealStore,
    fields: Sequence[str] = (),
) -> Iterator[Batch]:
    """Return the batches of a source with the features that are kept, or keep those that are made.

    Args:
        source: real items.
        field: which of their fields is measured.
        extractor: makes their features, when a metric asks.
        store: of this source and this extractor.
        fields: as for ``batches_of``.
    """
    store = store.of_items()
    found = (store.read(_FEATURES) or {}).get(_FEATURES)
    if found is not None and len(found) == len(source):
        for start, batch in zip(
            range(0, len(source), _ROWS), batches_of(source, field, extractor, fields), strict=True
        ):
            yield _WithFeatures(batch, found[start : start + len(batch)], extractor)
        return
    made: list[np.ndarray] = []
    for batch in batches_of(source, field, extractor, fields):
        yield batch
        features = vars(batch).get("features")  # none if no metric has asked for them
        if features is not None and len(source) * features[0].nbytes <= MOST_OF_ONE:
            made.append(features)
    if sum(map(len, made)) == len(source):
        store.keep(_FEATURES, {_FEATURES: np.concatenate(made)})


class GeneratedItems:
    """Items that a model generates, kept on the disk until the evaluation is done.

    An evaluation that was interrupted takes them from there, and generates the others.

    Args:
        model: generates them.
        n: how many.
        seed: of the noise.
        labels: of a conditional model, the class to ask of each; int, shape ``(n,)``.
        folder: where they are kept: of these weights, labels, conditions and versions.
        given: what is given for each, by condition.
        workers: generate in the model's place.
    """

    def __init__(
        self,
        model: Model,
        n: int,
        seed: int,
        labels: np.ndarray | None,
        folder: Path,
        *,
        given: Mapping[str, Sequence[Any]] = MappingProxyType({}),
        workers: ModelWorkers | None = None,
    ) -> None:
        self.n, self._given, self._workers = n, given, workers
        self._model, self._seed, self._labels = model, seed, labels
        self._kept = KeptItems(folder, model.output_fields or (model.generated_field(),))

    def batches(self, extractor: Extractor | None) -> Iterator[Batch]:
        """Return them, of a conditional model with the labels that were asked."""
        for start, items in self._items():
            first = next(iter(items.values()))
            asked = self._labels[start : start + len(first)] if self._labels is not None else None
            yield Batch(first, extractor, asked, start, items)

    def forget(self) -> None:
        """Remove what was kept."""
        self._kept.forget()

    def _items(self) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        start, batch = 0, self._model.generation_batch
        while start < self.n:
            items = self._kept.read(start, min(batch, self.n - start))
            if items is None:
                break
            yield start, items
            start += batch
        if start < self.n:
            labels = None if self._labels is None else self._labels.tolist()
            made = (self._workers or self._model).generate_items(
                self.n, self._seed, labels, given=self._given, begin=start
            )
            for items in made:
                for array in items.values():
                    _check_finite(array)
                self._kept.keep(start, items)
                yield start, items
                start += batch


def _check_finite(items: np.ndarray) -> None:
    """Refuse what no metric can measure: it would be taken for black, or for a metric's fault."""
    if not is_finite(items):
        raise RunError(
            "Expected finite values from the model; it gave NaN or infinity.",
            "Its training went astray: measure an earlier step with --checkpoint, or train anew.",
        )
