"""The energy distance between two sets of points."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

import genkit
from genkit.errors import UsageError
from genkit.evaluation import Batch, Context, Figure, mean_interval
from genkit.testing import KnownAnswer

_BLOCKS, _MOST = 20, 500
_SCHEMA = genkit.Schema({"points": genkit.Field((2,), "float32", "points", range=(-1, 1))})


class EnergyDistance(genkit.Metric):
    """``2 E|X - Y| - E|X - X'| - E|Y - Y'|``, without bias: 0 for samples like the data.

    Szekely and Rizzo 2013, "Energy statistics: A class of statistics based on distances", equation
    5, by means over pairs of different points. The figure is a mean over blocks of points, which
    are independent of each other: so its interval is that of a mean. All points are kept, 8 bytes
    each: which ones are measured must not depend on the order in which they come.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._seen: dict[str, list[np.ndarray]] = {stream: [] for stream in self.streams}

    def update(self, stream: str, batch: Batch) -> None:
        self._seen[stream].append(batch.items)

    def compute(self) -> Iterable[Figure]:
        blocks = [self._blocks(stream) for stream in self.streams]
        values = [energy_distance(*pair) for pair in zip(*blocks, strict=True)]
        yield self.context.figure(
            "energy-distance",
            mean_interval(values),
            "min",
            interval=f"95 % t interval of the mean over {_BLOCKS} blocks",
            at_most=_BLOCKS * _MOST,
        )

    def _blocks(self, stream: str) -> list[np.ndarray]:
        points = np.concatenate(self._seen[stream]).astype(np.float64)
        if len(points) < 2 * _BLOCKS:
            raise UsageError(
                f"Expected {2 * _BLOCKS} points or more; received {len(points)}.",
                "Measure more points, or leave energy-distance out.",
            )
        # By value first, whatever order they came in.
        points = points[np.lexsort(points.T)]
        # Each stream by its own draws: sorted alike and dealt alike, like would meet like.
        rng = np.random.default_rng([self.context.seed, self.streams.index(stream)])
        chosen = rng.permutation(len(points))[: _BLOCKS * _MOST]
        return np.array_split(points[chosen], _BLOCKS)


def energy_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the unbiased energy distance of points ``(n, 2)`` and ``(m, 2)``."""
    n, m = len(first), len(second)
    within = _distances(first, first).sum() / (n * (n - 1))
    within += _distances(second, second).sum() / (m * (m - 1))
    return float(2 * _distances(first, second).mean() - within)


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.linalg.norm(first[:, None] - second, axis=2)


def known() -> Iterable[KnownAnswer]:
    """Two places at the distance 1, and at 0: twice the distance."""
    here, there = np.zeros((60, 2), "float32"), np.full((60, 2), [0.6, 0.8], "float32")
    for generated, answer in ((there, 2.0), (here, 0.0)):
        items = {"generated": generated, "real": here}
        yield KnownAnswer(_SCHEMA, items, {"energy-distance": answer}, 1e-6)
