"""Area under the ROC curve, with DeLong's interval."""

from __future__ import annotations

import numpy as np
from scipy import special

from genkit.evaluation.intervals import LEVEL

DELONG = "95 % DeLong interval"


def auc_interval(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float, float]:
    """Return the probability that a positive scores above a negative, and its interval.

    DeLong et al. 1988, "Comparing the Areas under Two or More Correlated Receiver Operating
    Characteristic Curves", equations 2 to 5, by ranks (Sun and Xu 2014). Ties count one half.

    Args:
        positive: scores of shape ``(n,)``, ``n >= 2``.
        negative: scores of shape ``(m,)``, ``m >= 2``.
    """
    n, m = len(positive), len(negative)
    ranks = _ranks(np.concatenate([positive, negative]))
    # For each positive the share of negatives below it, for each negative that of positives above.
    below = (ranks[:n] - _ranks(positive)) / m
    above = 1 - (ranks[n:] - _ranks(negative)) / n
    value = float(below.mean())
    error = np.sqrt(below.var(ddof=1) / n + above.var(ddof=1) / m)
    half = float(special.ndtri(0.5 + LEVEL / 2) * error)
    return value, max(value - half, 0.0), min(value + half, 1.0)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Return ranks from 1; values that are equal share the mean of theirs."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: np.ndarray = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return ranks
