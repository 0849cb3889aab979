"""Metrics of a model in training, from a small sample that stays the same."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data import Subset
from genkit.data.noise import permutation
from genkit.evaluation.choosing import choose
from genkit.evaluation.inputs import Reference, Training, open_context
from genkit.evaluation.metric import Batch
from genkit.evaluation.progress import EvaluationProgress
from genkit.evaluation.streams import batches_for, labels_to_ask
from genkit.files import reason_of
from genkit.models.given import values_from
from genkit.models.outputs import is_finite

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.evaluation.choosing import Measurement
    from genkit.evaluation.figure import Figure
    from genkit.models.model import Model
    from genkit.plugins.entries import Entry
    from genkit.plugins.registry import Registry

SAMPLE = 1000
"""Generated items, and real ones at most, behind each figure."""


class _NotFiniteError(Exception):
    """What a model generates is NaN or infinite."""


class WatchedMetrics:
    """Metrics that are measured while a model is trained.

    Each time they see the same real items and samples of the same noise, so that their figures
    differ by the weights alone. Where optimizers average the weights, the averages are measured.

    Args:
        names: of the metrics.
        model: in training.
        entry: the data set that it is trained on.
        learned: the items that it learns from.
        held_out: items for validation, which samples are compared with where there are any.
        registry: knows the metrics.
        seed: of which items, of the samples, and of everything random in metrics.

    Raises:
        UsageError: no such metric, or one that doesn't fit; with why.
        DataError: the weights of the data's extractor can't be had.
    """

    def __init__(
        self,
        names: Sequence[str],
        model: Model,
        entry: Entry,
        *,
        learned: Source,
        held_out: Source | None,
        registry: Registry,
        seed: int,
    ) -> None:
        everything = learned if held_out is None else held_out
        items = np.sort(permutation(seed, 0, len(everything))[:SAMPLE])
        split = "training items" if held_out is None else "held-out items"
        reference = Reference(entry, Subset(everything, items), split)
        silent = EvaluationProgress(shown=False)
        away = Training(None, "it looks at training items: measure it with genkit evaluate")
        self._context = open_context(
            model, reference, away, registry, silent, extractor=None, n=SAMPLE, seed=seed
        )
        self._chosen = choose(registry, names, self._context, silent)
        self._model, self._real, self._seed = model, reference.source, seed
        self._labels = labels_to_ask(model, self._real, SAMPLE, seed)

    @property
    def cards(self) -> dict[str, Mapping[str, Any]]:
        """How each metric is measured, by its name: JSON values, as on the card of a figure."""
        return {each.name: dict(each.context.card) for each in self._chosen}

    def __str__(self) -> str:
        card = self._context.card
        real = f"{card['n_real']:,} {card['split']} of {card['against']}"
        features = f"; features: {card['extractor']}" if "extractor" in card else ""
        names = ", ".join(each.name for each in self._chosen)
        return f"{names}, of {card['n_generated']:,} samples against {real}{features}"

    def measure(self) -> list[Figure]:
        """Measure the model as it is.

        Figures that are no finite number are left out, and those of a metric that fails, which is
        warned of; of a model that gives NaN or infinity there are none: its losses tell.
        """
        for each in self._chosen:
            each.metric = self._attempt(each, each.metric_class, each.context)
        with self._model.averaged_weights():
            try:
                for stream in ("real", "generated"):
                    self._show(stream)
            except _NotFiniteError:
                return []
            figures = [
                figure
                for each in self._chosen
                if each.metric is not None
                for figure in self._attempt(each, list, each.metric.compute()) or ()
            ]
        return [figure for figure in figures if math.isfinite(figure.value)]

    def _show(self, stream: str) -> None:
        wanting = [each for each in self._chosen if stream in each.metric_class.streams]
        for batch in self._batches(stream) if wanting else ():
            for each in wanting:
                if each.metric is not None:
                    self._attempt(each, each.metric.update, stream, batch)

    def _attempt(self, each: Measurement, act: Callable[..., Any], *arguments: Any) -> Any:
        """Have a metric do something; training goes on without one that fails."""
        try:
            return act(*arguments)
        except Exception as error:  # noqa: BLE001 - a plugin may raise anything
            each.metric = None
            warnings.warn(
                f"The watched metric {each.name} has no figure, it failed: {reason_of(error)}",
                stacklevel=2,
            )

    def _batches(self, stream: str) -> Iterator[Batch]:
        if stream == "generated":
            return self._generated()
        return batches_for(self._context, self._real, self._context.real_store)

    def _generated(self) -> Iterator[Batch]:
        start, field = 0, self._context.output_fields[0]
        labels = None if self._labels is None else self._labels.tolist()
        given = values_from(self._real, self._model, SAMPLE, seed=self._seed)
        for fields in self._model.generate_items(SAMPLE, self._seed, labels, given=given):
            if not all(map(is_finite, fields.values())):
                raise _NotFiniteError
            items = fields[field]
            mine = None if self._labels is None else self._labels[start : start + len(items)]
            yield Batch(items, self._context.extractor, mine, start, fields)
            start += len(items)
