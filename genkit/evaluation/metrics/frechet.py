"""Frechet distance between the features of samples and of real items: FID."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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

    Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule ...", equation 6. Of other
    items than images it is called ``frechet (EXTRACTOR)``. Both streams become sums, so memory
    depends on the width of the features only.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._moments = {stream: Moments() for stream in self.streams}
        self.gathered = self._moments

    @classmethod
    def unfit(cls, context: Context) -> str:
        return no_features(context)

    def update(self, stream: str, batch: Batch) -> None:
        self._moments[stream].add(batch.features, batch.begin)

    def compute(self) -> Iterable[Figure]:
        generated, real = (self._moments[stream] for stream in ("generated", "real"))
        require(2, generated=generated.count, real=real.count)
        value = frechet_distance(generated.gaussian(), real.gaussian())
        left_out = np.array(
            [
                frechet_distance(generated.gaussian(block), real.gaussian(block))
                for block in range(generated.blocks)
            ]
        )
        value, low, high = jackknife_interval(value, left_out)
        name = self.context.of_features("fid", "frechet")
        what = "FID" if name == "fid" else "distance"
        yield self.context.figure(
            name,
            (value, max(low, 0.0), high),
            "min",
            interval=f"{jackknife(generated.blocks)}, of the expected {what} at these counts",
        )


class Moments:
    """The sums that mean and covariance are made of, in blocks, for the jackknife.

    Args:
        width: of the features; 0 for that of the first ones.

    Raises:
        UsageError: they are too wide for a covariance matrix.
    """

    def __init__(self, width: int = 0) -> None:
        self._pending: list[tuple[np.ndarray, np.ndarray]] = []
        self._n_pending = 0
        self.blocks = 0
        self._counts = np.zeros(0, np.int64)
        if width:
            self._make_room(width)

    @property
    def count(self) -> int:
        """Rows seen."""
        return int(self._counts.sum()) + self._n_pending

    def add(self, features: np.ndarray, begin: int | None = None) -> None:
        """Take up features.

        Args:
            features: shape ``(n, width)``.
            begin: the place of the first in its stream; None if they follow on those before.
        """
        if not self.blocks:
            self._make_room(features.shape[1])
        self._pending.append((features, self._dealer.deal(len(features), begin)))
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

    def state(self) -> Mapping[str, np.ndarray]:
        """Return the sums."""
        if not self.blocks:
            return {}
        self._flush()
        return {"counts": self._counts, "sums": self._sums, "products": self._products}

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Add the sums of other rows."""
        if not state:
            return
        if not self.blocks:
            self._make_room(state["sums"].shape[1])
        self._counts += state["counts"]
        self._sums += state["sums"]
        self._products += state["products"]

    def _make_room(self, width: int) -> None:
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

    def _flush(self) -> None:
        if not self._pending:
            return
        rows = np.concatenate([features for features, _ in self._pending]).astype(np.float64)
        dealt = np.concatenate([blocks for _, blocks in self._pending])
        self._pending, self._n_pending = [], 0
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
    ``(L' C2 L)^(1/2)`` with ``C1 = L L'``, which is symmetric: its eigenvalues are real and, but
    for rounding, not negative. ``L`` is the pivoted Cholesky factor, which has a column for each
    direction that ``C1`` varies in: a third of the time of a root by eigenvectors, and less where
    items are fewer than features. What is left of an eigenvalue by rounding alone counts as 0, for
    its root is no small number.

    Args:
        first: mean and covariance, shapes ``(dim,)`` and ``(dim, dim)``.
        second: same shapes.
    """
    (mean_1, cov_1), (mean_2, cov_2) = first, second
    factored, pivots, rank, _ = linalg.lapack.dpstrf(cov_1, lower=1)
    lower, order = np.tril(factored)[:, :rank], pivots - 1
    product = lower.T @ (cov_2[np.ix_(order, order)] @ lower)
    eigenvalues = linalg.eigvalsh(product, overwrite_a=True) if rank else np.zeros(1)
    rounding = len(cov_1) * np.finfo(np.float64).eps * eigenvalues[-1]
    trace_of_root = np.sqrt(eigenvalues[eigenvalues > max(rounding, 0)]).sum()
    shift = np.square(mean_1 - mean_2).sum()
    return float(shift + np.trace(cov_1) + np.trace(cov_2) - 2 * trace_of_root)
