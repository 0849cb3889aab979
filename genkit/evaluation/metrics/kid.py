"""Kernel distance between the features of samples and of real items: KID."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from genkit.evaluation.figure import Figure
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.jackknife import BLOCKS, jackknife, jackknife_interval
from genkit.evaluation.metrics.kept import Kept, require
from genkit.evaluation.metrics.pairs import sums_across, sums_within, without
from genkit.evaluation.metrics.widths import no_features

LIMIT = 5_000


class KernelDistance(Metric):
    """KID: the unbiased squared maximum mean discrepancy under a cubic kernel.

    Binkowski et al. 2018, "Demystifying MMD GANs", section 4: ``k(x, y) = (x'y / dim + 1)^3``. The
    paper averages over subsets to save time; all pairs give the same expectation with less noise.
    Of other items than images it is called ``kernel-distance (EXTRACTOR)``.
    Unlike FID it doesn't depend on the number of items, and can come out below 0.
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
        require(2 * BLOCKS, **{stream: len(kept) for stream, kept in self._kept.items()})
        generated, real = (
            np.array_split(self._kept[stream].rows.astype(np.float64), BLOCKS)
            for stream in ("generated", "real")
        )
        sums = (
            sums_within(generated, cubic_kernel),
            self.context.of_real(
                f"sums of cubic kernels of at most {LIMIT}",
                lambda: {"sums": sums_within(real, cubic_kernel)},
            )["sums"],
            sums_across(generated, real, cubic_kernel),
        )
        n, m = (sum(map(len, blocks)) for blocks in (generated, real))
        value = _discrepancy([float(each.sum()) for each in sums], n, m)
        left_out = [
            _discrepancy(
                [without(each, block) for each in sums],
                n - len(generated[block]),
                m - len(real[block]),
            )
            for block in range(BLOCKS)
        ]
        yield self.context.figure(
            self.context.of_features("kid", "kernel-distance"),
            jackknife_interval(value, np.array(left_out)),
            "min",
            kernel="(x'y / dim + 1)^3",
            at_most=LIMIT,
            interval=jackknife(BLOCKS),
        )


def cubic_kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return ``(x'y / dim + 1)^3`` for every pair: ``(n, dim)``, ``(m, dim)`` to ``(n, m)``."""
    kernel: np.ndarray = (first @ second.T / first.shape[1] + 1) ** 3
    return kernel


def _discrepancy(sums: list[float], n: int, m: int) -> float:
    """Gretton et al. 2012, "A Kernel Two-Sample Test", equation 3: from sums over pairs."""
    generated, real, across = sums
    return generated / (n * (n - 1)) + real / (m * (m - 1)) - 2 * across / (n * m)
