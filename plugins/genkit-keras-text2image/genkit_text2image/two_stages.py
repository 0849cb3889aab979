"""Runs of two stages: the first steps learn pictures, those behind them learn captions."""

from __future__ import annotations

import math
import warnings

_WARM_SHARE, _WARM_STEPS = 0.05, 100  # of a stage: over the fewer of both its rate rises


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


def rate_of_stage(step: int, total: float) -> float:
    """Return what a stage's rate is multiplied by: a rise, then half a cosine down to 0.

    Args:
        step: how many of its steps were done.
        total: how many it has; infinite where nobody knows, and the rate stays.
    """
    warm = min(_WARM_SHARE * total, _WARM_STEPS)
    rise = min(1.0, (step + 1) / (warm + 1))
    return rise * (1 + math.cos(math.pi * min(1.0, step / total))) / 2
