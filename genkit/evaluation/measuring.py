"""Measuring: the metrics whose figures are missing see a model's items beside real ones."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from genkit.evaluation.results import Weights, keep
from genkit.files import reason_of

if TYPE_CHECKING:
    from genkit.evaluation.choosing import Measurement
    from genkit.evaluation.progress import EvaluationProgress
    from genkit.evaluation.streams import GeneratedItems
    from genkit.runs.model_workers import ModelWorkers


class Measuring:
    """The metrics whose figures are missing, shown all streams at once.

    Args:
        missing: the metrics.
        weights: what is measured.
        progress: tells of it.
        n: how many items are generated.
        stop_at_faults: whether a metric that fails ends it all; else the others go on.
        workers: generate the items in the model's place.
    """

    def __init__(
        self,
        missing: Sequence[Measurement],
        weights: Weights,
        progress: EvaluationProgress,
        *,
        n: int,
        stop_at_faults: bool,
        workers: ModelWorkers | None = None,
    ) -> None:
        self._missing, self._weights, self._progress = missing, weights, progress
        self._n, self._stop_at_faults, self._workers = n, stop_at_faults, workers

    def measure(self) -> None:
        """Show the streams, and keep each metric's figures as they come."""
        for each in self._missing:
            each.metric = self._attempt(each, each.metric_class, each.context)
        generated = self._generated()
        for stream in ("training", "real", "generated"):
            self._show(stream, generated)
        for each in self._missing:
            metric = each.metric
            if metric is not None:
                self._progress.computing(each.name)
                each.figures = self._attempt(each, lambda m=metric: list(m.compute())) or []
                keep(self._weights, each.figures)
                each.metric = None  # with its memory
        generated.forget()

    def _generated(self) -> GeneratedItems:
        import numpy as np

        from genkit.evaluation.streams import GeneratedItems, labels_to_ask
        from genkit.models.given import values_from
        from genkit.plan.activation import active_backend, backend_version
        from genkit.plugins.entry_points import own_version

        context = self._missing[0].context
        model, real, seed = context.model, context.real, context.seed
        assert model is not None and real is not None, "an evaluation has both"  # noqa: PT018
        labels = labels_to_ask(model, real, self._n, seed)
        backend = active_backend()
        assert backend is not None, "a loaded model has one"
        made_by = [own_version(), backend, backend_version(backend), version("keras")]
        inputs = json.dumps([self._weights.digest, seed, made_by]).encode()
        given = values_from(real, model, self._n, seed=seed)
        asked = b"" if labels is None else labels.tobytes()
        asked += b"".join(np.asarray(one).tobytes() for each in given.values() for one in each)
        name = hashlib.sha256(inputs + asked).hexdigest()[:16]
        folder = self._weights.path / "evaluation" / name
        return GeneratedItems(
            model, self._n, seed, labels, folder, given=given, workers=self._workers
        )

    def _show(self, stream: str, generated: GeneratedItems) -> None:
        """Show a stream's batches to all metrics that want it."""
        from genkit.evaluation.streams import batches_for

        wanting = [each for each in self._missing if stream in each.metric_class.streams]
        if all(each.metric is None for each in wanting):
            return
        context = wanting[0].context
        if stream == "generated":
            batches, total = generated.batches(context.extractor), generated.n
        else:
            source = context.training if stream == "training" else context.real
            assert source is not None, "metrics without their stream were left out"
            store = context.real_store if stream == "real" else None
            batches, total = batches_for(context, source, store), len(source)
        for batch in self._progress.through(batches, f"{stream} items", total):
            for each in wanting:
                if each.metric is not None:
                    self._attempt(each, each.metric.update, stream, batch)

    def _attempt(self, each: Measurement, act: Callable[..., Any], *arguments: Any) -> Any:
        """Have a metric do something; a plugin's that fails costs the others nothing."""
        try:
            return act(*arguments)
        except Exception as error:
            if self._stop_at_faults:
                raise
            each.metric = None
            self._progress.note(f"{each.name} is left out, it failed: {reason_of(error)}")
