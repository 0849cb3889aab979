"""Two contenders in turn, pair by pair, and the ratio of their times with its interval."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks.contender import GENKIT, Contender, Running

_SCREENING = 3
_PAUSE_S = 0.1  # for the other side's threads to stop spinning


def compare(ours: Contender, others: Sequence[Contender], pairs: int) -> dict[str, Any]:
    """Measure a contender against the fastest of several others.

    Each other is first measured a few times alone, to find the fastest. That one and ours then
    work in turn, in one run; which goes first alternates.

    Args:
        ours: usually GenKit.
        others: at least one.
        pairs: how many pairs to measure.

    Returns:
        a row: medians in milliseconds, the median ratio and its 95 % interval, peak memory, and
        the time from the start of each process to the end of its first step.
    """
    with contextlib.ExitStack() as stack:
        us = stack.enter_context(Running(ours))
        best = _fastest(others, stack)
        times = []
        for pair in range(pairs):
            both = (us, best) if pair % 2 == 0 else (best, us)
            measured = {running: _measure(running) for running in both}
            times.append((measured[us], measured[best]))
        our_ms, other_ms = (statistics.median(column) for column in zip(*times, strict=True))
        ratios = [a / b for a, b in times]
        low, high = interval(ratios)
        return {
            "case": ours.case,
            "backend": ours.backend,
            "precision": ours.precision,
            "genkit_ms": round(our_ms, 4),
            "native_ms": round(other_ms, 4),
            "ratio": round(statistics.median(ratios), 4),
            "ratio_low": round(low, 4),
            "ratio_high": round(high, 4),
            "pairs": pairs,
            "native_variant": _name(best.contender),
            "genkit_peak_mb": round(us.peak_mb),
            "native_peak_mb": round(best.peak_mb),
            "genkit_first_step_s": round(us.first_step_s, 2),
            "native_first_step_s": round(best.first_step_s, 2),
        }


def interval(ratios: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % interval of the median: percentile bootstrap, 10,000 resamples."""
    resamples = np.random.default_rng(0).choice(ratios, (10_000, len(ratios)))
    low, high = np.percentile(np.median(resamples, axis=1), [2.5, 97.5])
    return float(low), float(high)


def _fastest(others: Sequence[Contender], stack: contextlib.ExitStack) -> Running:
    if len(others) == 1:
        return stack.enter_context(Running(others[0]))
    medians = {}
    for other in others:
        with Running(other) as running:
            medians[other] = statistics.median(_measure(running) for _ in range(_SCREENING))
    return stack.enter_context(Running(min(medians, key=lambda other: medians[other])))


def _measure(running: Running) -> float:
    time.sleep(_PAUSE_S)
    return running.measure()


def _name(other: Contender) -> str:
    return str(other) if other.side == GENKIT else other.side
