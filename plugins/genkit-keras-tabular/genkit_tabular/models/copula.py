"""A Gaussian copula: each column by its own frequencies, joined by correlations of ranks."""

from __future__ import annotations

import numpy as np
from keras import ops
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from genkit.data import Source
from genkit_tabular.models.on_host import LEAST, Asked, HostModel, uniforms

_INSIDE = 1e-6


class TableCopula(HostModel):
    """Draws normal numbers with the correlations of the columns' ranks, and cuts them into codes.

    Of a code, an interval of the ranks, a rank is drawn at random: categories, too, have intervals,
    the most frequent first. What hangs together without rising together it doesn't see.
    """

    def make(self) -> None:
        columns = len(self.learned)
        self.counts = self.add_weight(
            shape=(sum(self.sizes),), initializer="ones", trainable=False, name="counts"
        )
        self.factor = self.add_weight(
            shape=(columns, columns), initializer="identity", trainable=False, name="factor"
        )

    def solve(self, source: Source) -> dict[str, float]:
        """Count the codes, and correlate the ranks."""
        codes = self.examples(source).codes
        n, columns = codes.shape
        uniform = uniforms(np.arange(n, dtype=np.uint64), 0, columns)
        counts, scores = [], np.zeros((n, columns))
        for place, size in enumerate(self.sizes):
            own = np.bincount(codes[:, place], minlength=size)
            edges = np.concatenate([[0], np.cumsum(own)]) / n
            low, high = edges[codes[:, place]], edges[codes[:, place] + 1]
            ranks = low + (high - low) * uniform[:, place]
            scores[:, place] = ndtri(np.clip(ranks, _INSIDE, 1 - _INSIDE))
            counts.append(own)
        together = np.cov(scores.T).reshape(columns, columns) if n > 1 else np.eye(columns)
        scale = np.sqrt(np.maximum(np.diag(together), 1e-12))
        correlation = together / scale[:, None] / scale[None]
        correlation = (1 - 1e-6) * correlation + 1e-6 * np.eye(columns)
        self.counts.assign(np.concatenate(counts).astype(np.float32))
        self.factor.assign(np.linalg.cholesky(correlation).astype(np.float32))
        largest = np.abs(correlation - np.eye(columns)).max()
        return {"largest_correlation": float(largest)}

    def draw_codes(
        self, uniform: NDArray[np.float64], asked: Asked, rows: NDArray[np.intp]
    ) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        """Draw codes; what is asked is an interval of ranks, drawn by a truncated normal.

        The weights are those of Geweke, Hajivassiliou and Keane: how probable each interval was
        after the columns before it.
        """
        factor = np.asarray(ops.convert_to_numpy(self.factor), np.float64)
        counts = np.asarray(ops.convert_to_numpy(self.counts), np.float64)
        normal = ndtri(np.clip(uniform, _INSIDE, 1 - _INSIDE))
        codes, start = np.zeros(uniform.shape, np.int32), 0
        likely = np.ones(len(uniform))
        for place, size in enumerate(self.sizes):
            edges = np.concatenate([[0], np.cumsum(counts[start : start + size])])
            edges, start = edges / edges[-1], start + size
            before, own = normal[:, :place] @ factor[place, :place], factor[place, place]
            for some, (first, last) in asked.kinds(place, rows):
                there = np.flatnonzero(last > first)
                width = np.diff(edges)[there]
                ends = (
                    edges[there[0]] + first[there[0]] * width[0],
                    edges[there[-1]] + last[there[-1]] * width[-1],
                )
                low, high = (ndtr((ndtri(np.clip(end, 0, 1)) - before[some]) / own) for end in ends)
                likely[some] *= np.maximum(high - low, LEAST)
                within = low + (high - low) * uniform[some, place]
                normal[some, place] = ndtri(np.clip(within, 1e-300, 1 - 1e-16))
            ranks = ndtr(before + own * normal[:, place])
            found = np.searchsorted(edges[1:-1], ranks, side="right").astype(np.int32)
            for some, (first, last) in asked.kinds(place, rows):
                there = np.flatnonzero(last > first)
                found[some] = np.clip(found[some], there[0], there[-1])
            codes[:, place] = found
        return codes, likely
