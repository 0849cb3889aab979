"""How good a model is, measured on data it has not seen.

The names below load on first use: what extractors there are is known without NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genkit.evaluation.extractors.base import Extractor
    from genkit.evaluation.extractors.images import ImageExtractor
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

_HOME = {
    "Batch": "metric",
    "Context": "metric",
    "Extractor": "extractors.base",
    "Figure": "figure",
    "ImageExtractor": "extractors.images",
    "Metric": "metric",
    "Paired": "intervals",
    "bootstrap_interval": "intervals",
    "check_comparable": "figure",
    "importance_nll": "likelihood",
    "mean_interval": "intervals",
    "paired_difference": "intervals",
    "proportion_interval": "intervals",
}

__all__ = [
    "Batch",
    "Context",
    "Extractor",
    "Figure",
    "ImageExtractor",
    "Metric",
    "Paired",
    "bootstrap_interval",
    "check_comparable",
    "importance_nll",
    "mean_interval",
    "paired_difference",
    "proportion_interval",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
