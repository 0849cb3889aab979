"""Counts with exact discrete noise: what may be told of rows under differential privacy.

Neighbours are tables of which one has one row more. A row counts in one cell of a histogram, so
noise of the discrete Laplace distribution, ``P(x) ~ exp(-epsilon |x|)``, gives ``(epsilon, 0)``
(Ghosh et al. 2009). It is drawn from whole random numbers alone, as no float could be exactly
(Canonne, Kamath and Steinke 2020, "The Discrete Gaussian for Differential Privacy", algorithm 2).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fractions import Fraction

Below = Callable[[int], int]
"""Draws a whole number from 0 to below another one, any as likely; ``secrets.randbelow`` is one."""


def with_noise(counts: Iterable[int], epsilon: Fraction, below: Below) -> list[int]:
    """Return counts with noise: some may be negative.

    Args:
        counts: of the cells of a histogram, which do not follow from the rows.
        epsilon: what it costs, above 0.
        below: where randomness comes from.
    """
    return [int(count) + discrete_laplace(epsilon, below) for count in counts]


def discrete_laplace(epsilon: Fraction, below: Below) -> int:
    """Return a draw from the discrete Laplace distribution, exactly."""
    over, under = epsilon.numerator, epsilon.denominator
    while True:
        rest = below(under)
        if not _holds(Fraction(rest, under), below):
            continue
        whole = 0
        while _holds(Fraction(1), below):
            whole += 1
        size, negative = (rest + under * whole) // over, below(2)
        if size or not negative:
            return -size if negative else size


def least_told(epsilon: Fraction, delta: float) -> int:
    """Return how many, noise included, a cell must have that follows from the rows, to be told of.

    A name that one row alone has reaches it with a probability of ``delta`` at most; so all names
    that reach it may be told for ``(epsilon, delta)`` (Korolova et al. 2009).
    """
    rate = float(epsilon)
    return 1 + math.ceil(-math.log(delta * (1 + math.exp(-rate))) / rate)


def _holds(gamma: Fraction, below: Below) -> bool:
    """Whether what holds with probability ``exp(-gamma)`` does, for ``gamma`` from 0 to 1."""
    turn = 1
    while below(gamma.denominator * turn) < gamma.numerator:
        turn += 1
    return turn % 2 == 1
