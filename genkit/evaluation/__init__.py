"""How good a model is, measured on data it has not seen."""

from genkit.evaluation.figure import Figure, check_comparable
from genkit.evaluation.intervals import (
    Paired,
    bootstrap_interval,
    mean_interval,
    paired_difference,
    proportion_interval,
)
from genkit.evaluation.likelihood import importance_nll
from genkit.evaluation.metric import Batch, Context, Metric

__all__ = [
    "Batch",
    "Context",
    "Figure",
    "Metric",
    "Paired",
    "bootstrap_interval",
    "check_comparable",
    "importance_nll",
    "mean_interval",
    "paired_difference",
    "proportion_interval",
]
