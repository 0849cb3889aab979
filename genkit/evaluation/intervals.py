"""95 % intervals and paired tests; each says its method, for the card."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

# scipy.stats takes two seconds to import: the functions that it calls stand in scipy.special.

LEVEL = 0.95
T_INTERVAL = "95 % t interval of the mean"
WILSON = "95 % Wilson interval of a proportion"
BOOTSTRAP = "95 % percentile bootstrap"


def mean_interval(
    values: Sequence[float] | np.ndarray, level: float = LEVEL
) -> tuple[float, float, float]:
    """Return the mean and its Student t interval (``T_INTERVAL``).

    Args:
        values: independent observations, at least one; with one alone the interval is unbounded.
        level: share of such intervals that hold the true mean.
    """
    sample = np.asarray(values, np.float64)
    mean = float(sample.mean())
    if len(sample) == 1:
        return mean, -np.inf, np.inf
    error = float(sample.std(ddof=1)) / np.sqrt(len(sample))
    from scipy import special

    half = float(special.stdtrit(len(sample) - 1, 0.5 + level / 2)) * error
    return mean, mean - half, mean + half


def proportion_interval(hits: int, n: int) -> tuple[float, float, float]:
    """Return a proportion and its Wilson score interval (``WILSON``).

    Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    from scipy import special

    z = float(special.ndtri(0.5 + LEVEL / 2))
    share, weight = hits / n, 2 * (n + z**2)
    centre = (2 * hits + z**2) / weight
    half = z * math.sqrt(z**2 + 4 * hits * (1 - share)) / weight
    low = 0.0 if hits == 0 else centre - half  # which rounding would miss
    return share, low, 1.0 if hits == n else centre + half


def bootstrap_interval(
    values: np.ndarray,
    statistic: Callable[[np.ndarray], float] = np.mean,
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> tuple[float, float, float]:
    """Return a statistic of independent rows and its percentile bootstrap interval (``BOOTSTRAP``).

    Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.

    Args:
        values: shape ``(n, ...)``; rows are drawn with replacement.
        statistic: of such an array.
        seed: of the draws.
        resamples: how many.
    """
    rng = np.random.default_rng(seed)
    n = len(values)
    found = [statistic(values[rng.integers(0, n, n)]) for _ in range(resamples)]
    low, high = np.quantile(found, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(statistic(values)), float(low), float(high)


def two_groups_interval(
    first: np.ndarray,
    second: np.ndarray,
    statistic: Callable[[np.ndarray, np.ndarray], float],
    *,
    seed: int = 0,
    resamples: int = 1000,
) -> tuple[float, float, float]:
    """Return a statistic of two independent groups and its percentile interval (``BOOTSTRAP``).

    Args:
        first: shape ``(n, ...)``; rows are drawn with replacement.
        second: shape ``(m, ...)``; drawn apart from the first.
        statistic: of two such arrays.
        seed: of the draws.
        resamples: how many.
    """
    rng = np.random.default_rng(seed)
    n, m = len(first), len(second)
    found = [
        statistic(first[rng.integers(0, n, n)], second[rng.integers(0, m, m)])
        for _ in range(resamples)
    ]
    low, high = np.quantile(found, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
    return float(statistic(first, second)), float(low), float(high)


@dataclass(frozen=True)
class Paired:
    """How two treatments of the same units differ.

    Args:
        difference: mean of first minus second.
        low: lower end of its t interval, 95 % unless another level was asked for.
        high: upper end.
        p: two-sided, of the paired t test; NaN where the pairs can't tell.
        n: pairs.
    """

    difference: float
    low: float
    high: float
    p: float
    n: int


def paired_difference(
    first: Sequence[float],
    second: Sequence[float],
    level: float = LEVEL,
    *,
    resolution: float = 0.0,
) -> Paired:
    """Compare two treatments of the same units with a paired t test.

    Differences that are equal and not 0 have no spread to judge them by. The spread is therefore
    taken to be at least that of rounding to ``resolution``, a standard deviation of
    ``resolution / sqrt(12)``. Without a resolution such pairs can't tell: the interval is
    unbounded and p is NaN.

    Args:
        first: an observation of each unit.
        second: the same units under the other treatment.
        level: of the interval.
        resolution: smallest step of a value: ``1 / n`` for an accuracy on ``n`` items.

    Raises:
        ValueError: fewer than two pairs, or lists of different lengths.
    """
    if len(first) != len(second) or len(first) < 2:  # noqa: PLR2004
        raise ValueError(f"Expected two pairs or more; received {len(first)} and {len(second)}.")
    values = np.asarray([first, second], np.float64)
    differences = values[0] - values[1]
    n, mean, spread = len(differences), float(differences.mean()), float(differences.std(ddof=1))
    # What is equal on paper differs by the rounding of the subtraction.
    rounding = 4 * np.finfo(np.float64).eps * float(np.abs(values).max())
    if spread <= rounding and not resolution:
        if abs(mean) <= rounding:
            return Paired(mean, mean, mean, 1.0, n)
        return Paired(mean, -np.inf, np.inf, np.nan, n)
    error = float(np.sqrt(max(spread**2, resolution**2 / 12) / n))
    from scipy import special

    half = float(special.stdtrit(n - 1, 0.5 + level / 2)) * error
    p = 2 * float(special.stdtr(n - 1, -abs(mean) / error))
    return Paired(mean, mean - half, mean + half, p, n)
