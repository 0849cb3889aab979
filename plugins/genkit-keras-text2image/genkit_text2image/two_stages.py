"""Runs of two stages: the first steps learn pictures, those behind them learn captions."""

from __future__ import annotations

import math
import warnings

_WARM = 0.05  # share of stage one over which its rate rises


def warn_of_one_stage(step: int, total: float, first: int) -> None:
    """Warn, at the beginning of a run, if it ends in stage one.

    Args:
        step: how many were done.
        total: how many there are.
        first: those of stage one.
    """
    if step == 0 and total <= first:
        warnings.warn(
            f"A run of {total:g} steps ends in stage one, which has {first}: no caption is "
            f"learned. Shorten it, --set first_stage={max(1, int(0.4 * total))}, or go on later "
            "with genkit resume.",
            stacklevel=3,
        )


def first_rate(step: int, first: int) -> float:
    """Return what the rate of stage one is multiplied by: a rise, then half a cosine down to 0."""
    warm = min(1.0, (step + 1) / (_WARM * first + 1))
    return warm * (1 + math.cos(math.pi * step / first)) / 2
