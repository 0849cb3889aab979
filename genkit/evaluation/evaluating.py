"""An evaluation: a run's model, the data it is compared with, and the metrics that see both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.card import renew_card
from genkit.errors import RunError, UsageError
from genkit.evaluation.results import Weights, keep, kept, results, with_card

if TYPE_CHECKING:
    from genkit.evaluation.choosing import Measurement
    from genkit.evaluation.figure import Figure
    from genkit.evaluation.progress import EvaluationProgress
    from genkit.evaluation.streams import GeneratedItems
    from genkit.loading import HasPath

__all__ = ["evaluate", "results"]

DEFAULT_N, DEFAULT_SEED, DEFAULT_SPLIT = 10_000, 1, "test"


def evaluate(
    run: HasPath | str | Path,
    *,
    against: str | None = None,
    data: Mapping[str, Any] | None = None,
    split: str = DEFAULT_SPLIT,
    metrics: Sequence[str] | None = None,
    extractor: str | None = None,
    n: int = DEFAULT_N,
    seed: int = DEFAULT_SEED,
    backend: str | None = None,
    checkpoint: str | int | None = None,
    verbose: bool = True,
) -> list[Figure]:
    """Measure a trained model, as ``genkit evaluate`` does.

    Figures are kept in the run's ``evaluation.json`` as they come; those that are there already, of
    the same weights and with the same card, are not measured again. The model card tells of them.

    Args:
        run: what ``train`` returned, a run directory, or an exported ``model`` folder.
        against: name of the data set to compare with; by default the run's own, with its settings.
        data: settings of that data set to change.
        split: which of its items; data without splits is taken as a whole.
        metrics: their names; by default all that fit.
        extractor: what makes features of images; by default the data set's own classifier, or
            else ``pixels``.
        n: how many items to generate.
        seed: 0 to 2**31 - 1, of the items and of everything random in metrics.
        backend: backend to use; by default the run's own.
        checkpoint: the step of a checkpoint that the run has kept, or ``"best"``; by default the
            newest.
        verbose: tell on stderr what is done, what is left out, and why.

    Returns:
        the figures, each with its card.

    Raises:
        UsageError: a wrong setting, or a metric that was asked for and doesn't fit.
        RunError: no metric gave a figure.
        GenkitError: the model or the data can't be had.

    Example:
        >>> genkit.evaluate("runs/mine", metrics=["fid"])  # doctest: +SKIP
    """
    from genkit.evaluation.choosing import choose
    from genkit.evaluation.opening import open_context, open_reference, open_training
    from genkit.evaluation.progress import EvaluationProgress
    from genkit.loading import load, path_of
    from genkit.registry import installed

    if n < 2 or not 0 <= seed < 2**31:  # noqa: PLR2004
        raise UsageError(f"Expected n of at least 2 and a seed of 0 to 2**31 - 1; got {n}, {seed}.")
    registry, progress = installed(), EvaluationProgress(verbose)
    path = path_of(run)
    weights = Weights.of(path, checkpoint)
    model = load(path, backend, weights.step)
    reference = open_reference(weights, registry, against, data or {}, split)
    training = open_training(weights, registry, reference, progress)
    context = open_context(
        model, reference, training, progress, extractor=extractor, n=n, seed=seed
    )
    chosen = choose(registry, metrics, context, progress)
    for each in chosen:
        each.figures = with_card(kept(weights), each.context.card)
    missing = [each for each in chosen if not each.figures]
    if missing:
        _Sitting(missing, weights, progress, n=n, stop_at_faults=metrics is not None).measure()
        if weights.step is not None:
            renew_card(path)
    figures = [figure for each in chosen for figure in each.figures]
    if not figures:
        raise RunError("No metric gave a figure: each was left out or failed.", "See why above.")
    return figures


class _Sitting:
    """The metrics whose figures are missing, shown all streams at once.

    Args:
        missing: the metrics.
        weights: what is measured.
        progress: tells of it.
        n: how many items are generated.
        stop_at_faults: whether a metric that fails ends it all; else the others go on.
    """

    def __init__(
        self,
        missing: Sequence[Measurement],
        weights: Weights,
        progress: EvaluationProgress,
        *,
        n: int,
        stop_at_faults: bool,
    ) -> None:
        self._missing, self._weights, self._progress = missing, weights, progress
        self._n, self._stop_at_faults = n, stop_at_faults

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
                self._progress.note(f"{each.name} ...")
                each.figures = self._attempt(each, lambda m=metric: list(m.compute())) or []
                keep(self._weights, each.figures)
                each.metric = None  # with its memory
        generated.forget()

    def _generated(self) -> GeneratedItems:
        from genkit.backend import active_backend, backend_version
        from genkit.entry_points import own_version
        from genkit.evaluation.streams import GeneratedItems, labels_to_ask

        context = self._missing[0].context
        model, real, seed = context.model, context.real, context.seed
        assert model is not None and real is not None, "an evaluation has both"  # noqa: PT018
        labels = labels_to_ask(model, real, self._n, seed)
        backend = active_backend()
        assert backend is not None, "a loaded model has one"
        made_by = [own_version(), backend, backend_version(backend), version("keras")]
        told = json.dumps([self._weights.digest, seed, made_by]).encode()
        asked = b"" if labels is None else labels.tobytes()
        name = hashlib.sha256(told + asked).hexdigest()[:16]
        folder = self._weights.path / "evaluation" / name
        return GeneratedItems(model, self._n, seed, labels, folder)

    def _show(self, stream: str, generated: GeneratedItems) -> None:
        """Show a stream's batches to all metrics that want it."""
        from genkit.evaluation.streams import batches_of

        wanting = [each for each in self._missing if stream in each.metric_class.streams]
        if all(each.metric is None for each in wanting):
            return
        context = wanting[0].context
        if stream == "generated":
            batches, total = generated.batches(context.extractor), generated.n
        else:
            source = context.training if stream == "training" else context.real
            assert source is not None, "metrics without their stream were left out"
            batches, total = batches_of(source, context.extractor), len(source)
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
            told = " ".join(str(error).split()) or type(error).__name__
            self._progress.note(f"{each.name} is left out, it failed: {told}")
