"""Frechet distance between the features of samples and of real items: FID."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy import linalg

from genkit.errors import UsageError
from genkit.evaluation.figure import Figure
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.jackknife import BLOCKS, Dealer, jackknife, jackknife_interval
from genkit.evaluation.metrics.kept import require
from genkit.evaluation.metrics.widths import WIDEST, no_features

ROOM = 1 << 28
"""Bytes that the sums of one stream may take; but four blocks there are always."""

_FEWEST = 4
_PENDING = 1024


class FrechetDistance(Metric):
    """FID: the distance of two Gaussians fitted to the features of samples and of real items.

    Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule ...", equation 6. Both
    streams become sums, so memory depends on the width of the features only.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._moments: dict[str, Moments] = {}

    @classmethod
    def unfit(cls, context: Context) -> str:
        return no_features(context)

    def update(self, stream: str, batch: Batch) -> None:
        if stream not in self._moments:
            self._moments[stream] = Moments(batch.features.shape[1])
        self._moments[stream].add(batch.features)

    def compute(self) -> Iterable[Figure]:
        generated, real = (
            self._moments.get(stream, Moments(1)) for stream in ("generated", "real")
        )
        require(2, generated=generated.count, real=real.count)
        value = frechet_distance(generated.gaussian(), real.gaussian())
        left_out = np.array(
            [
                frechet_distance(generated.gaussian(block), real.gaussian(block))
                for block in range(generated.blocks)
            ]
        )
        value, low, high = jackknife_interval(value, left_out)
        yield self.context.figure(
            "fid",
            (value, max(low, 0.0), high),
            "min",
            interval=jackknife(generated.blocks) + ", of the expected FID at these counts",
        )


class Moments:
    """The sums that mean and covariance are made of, in blocks, for the jackknife.

    Args:
        width: of the features.

    Raises:
        UsageError: they are too wide for a covariance matrix.
    """

    def __init__(self, width: int) -> None:
        if width > WIDEST:
            raise UsageError(
                f"Expected features of at most {WIDEST} numbers for fid; received {width}.",
                "Choose another extractor.",
            )
        self.blocks = min(BLOCKS, max(_FEWEST, ROOM // (8 * width * width)))
        self._dealer = Dealer(self.blocks)
        self._counts = np.zeros(self.blocks, np.int64)
        self._sums = np.zeros((self.blocks, width))
        self._products = np.zeros((self.blocks, width, width))
        self._pending: list[np.ndarray] = []
        self._n_pending = 0

    @property
    def count(self) -> int:
        """Rows seen."""
        return int(self._counts.sum()) + self._n_pending

    def add(self, features: np.ndarray) -> None:
        """Take up features of shape ``(n, width)``."""
        self._pending.append(features)
        self._n_pending += len(features)
        # Adding up a matrix a block costs the same for one row as for fifty.
        if self._n_pending >= _PENDING:
            self._flush()

    def gaussian(self, left_out: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance, without one block if asked (and if two rows remain)."""
        self._flush()
        count, total = self._counts.sum(), self._sums.sum(axis=0)
        product = self._products.sum(axis=0)
        if left_out is not None and count - self._counts[left_out] >= 2:  # noqa: PLR2004
            count = count - self._counts[left_out]
            total -= self._sums[left_out]
            product -= self._products[left_out]
        mean = total / count
        product -= count * np.outer(mean, mean)
        return mean, product / (count - 1)

    def _flush(self) -> None:
        if not self._pending:
            return
        rows = np.concatenate(self._pending).astype(np.float64)
        self._pending, self._n_pending = [], 0
        dealt = self._dealer.deal(len(rows))
        for block in range(self.blocks):
            mine = rows[dealt == block]
            self._counts[block] += len(mine)
            self._sums[block] += mine.sum(axis=0)
            self._products[block] += mine.T @ mine


def frechet_distance(
    first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]
) -> float:
    """Return the squared Frechet (2-Wasserstein) distance of two Gaussians.

    Dowson and Landau 1982, "The Frechet distance between multivariate normal distributions":
    ``|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))``. The trace of the root is that of
    ``(R' C2 R)^(1/2)`` with ``C1 = R R'``, which is symmetric: its eigenvalues are real and, but
    for rounding, not negative, however singular the covariances are.

    Args:
        first: mean and covariance, shapes ``(dim,)`` and ``(dim, dim)``.
        second: same shapes.
    """
    (mean_1, cov_1), (mean_2, cov_2) = first, second
    values, vectors = linalg.eigh(cov_1)
    root = vectors * np.sqrt(np.maximum(values, 0))
    eigenvalues = linalg.eigvalsh(root.T @ cov_2 @ root)
    trace_of_root = np.sqrt(np.maximum(eigenvalues, 0)).sum()
    shift = np.square(mean_1 - mean_2).sum()
    return float(shift + np.trace(cov_1) + np.trace(cov_2) - 2 * trace_of_root)
