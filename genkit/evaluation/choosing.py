"""Which metrics an evaluation takes: those asked for, or all that fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from genkit.errors import GenkitError, UsageError
from genkit.evaluation.figure import Figure
from genkit.evaluation.held_out import SHARED, shared_items
from genkit.evaluation.metric import Context, Metric
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    from genkit.evaluation.progress import EvaluationProgress
    from genkit.plugins.entries import Entry
    from genkit.plugins.registry import Registry


ANY = "any"
"""The modality of metrics that see no items, but what extractors make of them."""


@dataclass
class Measurement:
    """A metric on its way to its figures.

    Args:
        name: of the metric.
        metric_class: what measures.
        context: with the card of this metric.
        metric: what measures, while it does.
        figures: what was measured.
    """

    name: str
    metric_class: type[Metric]
    context: Context
    metric: Metric | None = None
    figures: list[Figure] = field(default_factory=list)


def choose(
    registry: Registry,
    names: Sequence[str] | None,
    context: Context,
    progress: EvaluationProgress,
) -> list[Measurement]:
    """Find the metrics that were asked for, or all that fit; say which don't, and why."""
    modality = context.items.modality
    if names is None:
        # Without an extractor there is nothing to leave out of what sees features alone.
        fitting = (modality,) if context.extractor is None else (modality, ANY)
        entries = [e for e in registry.entries("metrics") if e.spec.modality in fitting]
    else:
        entries = [registry.find("metrics", name) for name in dict.fromkeys(names)]
    versions = {plugin.distribution: plugin.version for plugin in registry.plugins}
    chosen = []
    left_out: dict[str, list[str]] = {}

    @cache  # both are read as a whole: once, and only if a metric wants to know
    def shared() -> float:
        assert context.training is not None, "asked only where it is at hand"
        assert context.real is not None, "an evaluation has data to compare with"
        training, real = context.training, context.real
        known = context.of_real(
            "share of held-out items in the training data",
            lambda: {"share": np.asarray(shared_items(training, real, context.output_fields))},
        )
        return float(known["share"])

    for entry in entries:
        try:
            version = versions.get(entry.distribution, "")
            chosen.append(_measurement(entry, context, version, shared))
        except GenkitError as error:
            if names is not None:
                raise
            reason = error.message.removeprefix(f"{entry.spec.name} can't measure this: ")
            left_out.setdefault(reason, []).append(entry.spec.name)
    for reason, metrics in left_out.items():
        why = reason if len(metrics) == 1 else reason.replace("it needs ", "they need ", 1)
        progress.note(f"Left out: {', '.join(metrics)}: {why}")
    if not chosen:
        raise UsageError(
            f"No metric fits a model of {modality}.",
            "See them with: genkit list metrics"
            if context.extractor
            else f"Metrics of features need an extractor of {modality}: genkit list extractors",
        )
    return chosen


def _measurement(
    entry: Entry, context: Context, version: str, shared: Callable[[], float]
) -> Measurement:
    if entry.spec.modality not in (context.items.modality, ANY):
        raise UsageError(
            f"{entry.spec.name} measures {entry.spec.modality}; the model generates "
            f"{context.items.modality}."
        )
    metric_class = resolve(entry.spec.metric)
    if not (isinstance(metric_class, type) and issubclass(metric_class, Metric)):
        raise UsageError(f"Expected {entry.spec.metric} to be a genkit.Metric class; it isn't.")
    reason = _unshown(metric_class.streams, context, shared) or metric_class.unfit(context)
    if reason:
        raise UsageError(f"{entry.spec.name} can't measure this: {reason}.")
    card = {"metric": f"{entry.qualified_name} {version}".rstrip(), **context.card}
    if "generated" not in metric_class.streams:
        del card["n_generated"]
    if "real" not in metric_class.streams:
        for key in ("against", "fingerprint", "split", "n_real"):
            del card[key]
    if "training" in metric_class.streams:
        assert context.training is not None, "checked above"
        card |= {
            "n_training": len(context.training),
            "training_fingerprint": context.training.fingerprint(),
        }
    return Measurement(entry.spec.name, metric_class, replace(context, card=card))


def _unshown(streams: Sequence[str], context: Context, shared: Callable[[], float]) -> str:
    """Return why a stream can't be shown to a metric; empty if all can."""
    assert context.model is not None, "an evaluation has a model"
    if "generated" in streams and "generate" not in context.model.capabilities:
        return f"the model can {', '.join(context.model.capabilities)}; not generate"
    if "training" in streams:
        if context.training is None:
            return context.no_training or "the training data is not at hand"
        if (share := shared()) > SHARED:
            return f"the reference shares {share:.0%} of its items with the training data"
    return ""
