"""Intervals of statistics that are no means: leave out one block of the data after the other."""

from __future__ import annotations

import numpy as np
from scipy import special

from genkit.evaluation.intervals import LEVEL

BLOCKS = 20
_SKIPPED = 1 << 16


class Dealer:
    """Deals the items of a stream out to blocks, evenly and at random.

    In turn would not do: what recurs in a stream, like labels that take turns, would gather in a
    block, and blocks that differ in kind make the jackknife's interval far too wide.

    Args:
        blocks: how many.
    """

    def __init__(self, blocks: int) -> None:
        self._blocks = blocks
        self._start()

    def deal(self, n: int, begin: int | None = None) -> np.ndarray:
        """Return the blocks of ``n`` items; the same however the stream is cut.

        Args:
            n: how many.
            begin: the place of the first in the stream; None if they follow on those before.
        """
        if begin is not None and begin != self._place:
            if begin < self._place:
                self._start()
            while self._place < begin:
                self._deal(min(begin - self._place, _SKIPPED))
        return self._deal(n)

    def _start(self) -> None:
        self._rng = np.random.default_rng(0)
        self._next = np.empty(0, np.int64)
        self._place = 0

    def _deal(self, n: int) -> np.ndarray:
        rounds = -(-max(0, n - len(self._next)) // self._blocks)
        dealt = [self._rng.permutation(self._blocks) for _ in range(rounds)]
        together = np.concatenate([self._next, *dealt])
        self._next = together[n:]
        self._place += n
        return together[:n]


def jackknife(blocks: int) -> str:
    """Return how ``jackknife_interval`` made an interval, for the card."""
    return f"95 % t interval, standard error by leaving out each of {blocks} blocks in turn"


def jackknife_interval(value: float, left_out: np.ndarray) -> tuple[float, float, float]:
    """Return a value and its interval by the delete-one-block jackknife.

    Efron and Tibshirani 1993, "An Introduction to the Bootstrap", equation 11.5:
    ``se^2 = (B - 1) / B * sum (value_i - mean)^2``, and Student's t with ``B - 1`` degrees of
    freedom. A bootstrap would draw rows twice, and so shift every statistic that, like the Frechet
    distance, falls with the number of distinct rows: its percentiles need not hold the value.
    Where two streams are compared, both lose their ``i``-th block at once: they are independent,
    so their variances add up.

    Args:
        value: of all data.
        left_out: the same statistic without each of the blocks, shape ``(blocks,)``.
    """
    blocks = len(left_out)
    error = np.sqrt((blocks - 1) * left_out.var())
    half = float(special.stdtrit(blocks - 1, 0.5 + LEVEL / 2) * error)
    return value, value - half, value + half
