"""How wide features may be."""

from __future__ import annotations

from genkit.evaluation.metric import Context

WIDEST = 4096
"""Numbers in a feature: a covariance of such takes 128 MiB, and 10,000 of them 156 MiB."""


def no_features(context: Context) -> str:
    """Return why there are no features whose memory is bounded; empty if there are."""
    if context.extractor is None:
        return "it needs a feature extractor"
    width = context.extractor.width
    if width is not None and width > WIDEST:
        return (
            f"features of {width} numbers are wider than the {WIDEST} it takes; "
            "choose another extractor"
        )
    return ""


def no_view(context: Context) -> str:
    """Return why copies can't be told among the items; empty if they can."""
    if context.extractor is None:
        return "it needs a feature extractor"
    return "" if context.extractor.space else "it needs an extractor that has a view of the items"
