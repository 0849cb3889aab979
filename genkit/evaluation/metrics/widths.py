"""How wide features may be."""

from __future__ import annotations

import numpy as np

from genkit.evaluation.metric import Context

WIDEST = 4096
"""Numbers in a feature: a covariance of such takes 128 MiB, and 10,000 of them 156 MiB."""


def no_features(context: Context) -> str:
    """Return why there are no features whose memory is bounded; empty if there are."""
    if context.extractor is None:
        return "it needs a feature extractor"
    # All other extractors are narrow by their making; pixels are as wide as the picture.
    size = int(np.prod([size or 1 for size in context.extractor.image.shape]))
    if context.extractor.name == "pixels" and size > WIDEST:
        return f"{size} pixels are more than the {WIDEST} it takes; choose another extractor"
    return ""
