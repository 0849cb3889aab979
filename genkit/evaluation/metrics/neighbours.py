"""Precision, recall, density and coverage: whose neighbourhood samples and real items lie in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from genkit.evaluation.figure import Figure
from genkit.evaluation.intervals import T_INTERVAL, WILSON, mean_interval, proportion_interval
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.kept import Kept, require
from genkit.evaluation.metrics.pairs import distance_rows
from genkit.evaluation.metrics.widths import no_features

LIMIT = 10_000
NEIGHBOURS = 5
_FIXED = "; the neighbourhoods taken as given, so too narrow for another draw of both sets"


class Neighbours(Metric):
    """Improved precision and recall, density and coverage.

    Kynkaanniemi et al. 2019, "Improved Precision and Recall Metric ...", equation 2; Naeem et al.
    2020, "Reliable Fidelity and Diversity Metrics for Generative Models", equations 4 and 5. An
    item's neighbourhood is the ball that reaches to its fifth nearest neighbour in its own set.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kept = {stream: Kept(LIMIT, context.seed) for stream in self.streams}
        self.gathered = self._kept

    @classmethod
    def unfit(cls, context: Context) -> str:
        return no_features(context)

    def update(self, stream: str, batch: Batch) -> None:
        self._kept[stream].add(batch.features, batch.begin)

    def compute(self) -> Iterable[Figure]:
        require(NEIGHBOURS + 1, **{stream: len(kept) for stream, kept in self._kept.items()})
        real = self._kept["real"].rows
        radii = self.context.of_real(
            f"squared distances to neighbour {NEIGHBOURS} of at most {LIMIT}",
            lambda: {"radii": _squared_radii(real, NEIGHBOURS)},
        )["radii"]
        found = memberships(self._kept["generated"].rows, real, NEIGHBOURS, radii)
        card = {"neighbours": NEIGHBOURS, "at_most": LIMIT}
        hits = {
            "precision": found.neighbourhoods > 0,
            "recall": found.recalled,
            "coverage": found.covered,
        }
        for name, hit in hits.items():
            interval = proportion_interval(int(hit.sum()), len(hit))
            named = self.context.of_features(name)
            yield self.context.figure(named, interval, "max", interval=WILSON + _FIXED, **card)
        density, named = (
            mean_interval(found.neighbourhoods / NEIGHBOURS),
            self.context.of_features("density"),
        )
        yield self.context.figure(named, density, "max", interval=T_INTERVAL + _FIXED, **card)


class Memberships(NamedTuple):
    """Who lies in whose neighbourhood.

    Args:
        neighbourhoods: of how many real items each sample is in the neighbourhood, ``(n,)``.
        recalled: whether each real item is in the neighbourhood of a sample, ``(m,)``.
        covered: whether each real item has a sample in its own neighbourhood, ``(m,)``.
    """

    neighbourhoods: np.ndarray
    recalled: np.ndarray
    covered: np.ndarray


def memberships(
    generated: np.ndarray, real: np.ndarray, k: int, real_radii: np.ndarray | None = None
) -> Memberships:
    """Find out who lies in whose neighbourhood.

    Args:
        generated: features of shape ``(n, dim)``, ``n > k``.
        real: features of shape ``(m, dim)``, ``m > k``.
        k: the neighbour that a neighbourhood reaches to.
        real_radii: squared radii of the real items' neighbourhoods, where they are known.
    """
    generated_radii = _squared_radii(generated, k)
    real_radii = _squared_radii(real, k) if real_radii is None else real_radii
    neighbourhoods = np.zeros(len(generated), np.int64)
    recalled = np.zeros(len(real), bool)
    covered = np.zeros(len(real), bool)
    for rows, distances in distance_rows(generated, real):
        inside = distances <= real_radii
        neighbourhoods[rows] = inside.sum(axis=1)
        covered |= inside.any(axis=0)
        recalled |= (distances <= generated_radii[rows, None]).any(axis=0)
    return Memberships(neighbourhoods, recalled, covered)


def _squared_radii(features: np.ndarray, k: int) -> np.ndarray:
    radii = np.empty(len(features))
    for rows, distances in distance_rows(features, features):
        # Itself comes first: rounding must not let it count as a neighbour.
        distances[np.arange(len(distances)), np.arange(rows.start, rows.stop)] = -1
        radii[rows] = np.partition(distances, k, axis=1)[:, k]
    return radii
