"""Independent columns: the floor that every other model must leave behind."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from genkit.data import Source
from genkit_tabular.models.on_host import LEAST, Asked, HostModel


class TableMarginals(HostModel):
    """Draws each column by its own frequencies, whatever the others have."""

    def make(self) -> None:
        self.counts = self.add_weight(
            shape=(sum(self.sizes),), initializer="ones", trainable=False, name="counts"
        )

    def solve(self, source: Source) -> dict[str, float]:
        """Count the codes."""
        codes = self.examples(source).codes
        counts = [
            np.bincount(codes[:, place], minlength=size) for place, size in enumerate(self.sizes)
        ]
        self.counts.assign(np.concatenate(counts).astype(np.float32))
        shares = [each[each > 0] / each.sum() for each in counts]
        return {"nats": float(-sum((share * np.log(share)).sum() for share in shares))}

    def draw_codes(
        self, uniform: NDArray[np.float64], asked: Asked, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        counts: Any = np.asarray(ops.convert_to_numpy(self.counts), np.float64)
        codes, start = np.zeros(uniform.shape, np.int32), 0
        likely = np.ones(len(uniform))
        for place, size in enumerate(self.sizes):
            own = counts[start : start + size]
            start += size
            codes[:, place] = among(own, uniform[:, place])
            for some, (first, last) in asked.kinds(place, rows):
                weights = own * (last - first)
                # A value that held-out rows alone have is given as it is asked.
                weights = weights if weights.any() else last - first
                codes[some, place] = among(weights, uniform[some, place])
                likely[some] *= max((own * (last - first)).sum() / own.sum(), LEAST)
        return codes, likely


def among(weights: NDArray[np.float64], uniform: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return codes drawn by their weights; where all are zero, zeros."""
    sums = np.cumsum(weights)
    found = np.searchsorted(sums, uniform * sums[-1], side="right")
    return np.minimum(found, np.flatnonzero(weights).max(initial=0)).astype(np.int32)
