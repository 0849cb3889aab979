"""Inception score: are samples clearly of a class, and are the classes evenly there?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.special import xlogy

from genkit.evaluation.figure import Figure
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.gathered import Sums
from genkit.evaluation.metrics.jackknife import BLOCKS, Dealer, jackknife, jackknife_interval
from genkit.evaluation.metrics.kept import require


class InceptionScore(Metric):
    """``exp(mean KL(p(y | x) || p(y)))``, from 1 to the number of classes.

    Salimans et al. 2016, "Improved Techniques for Training GANs", section 4, with the extractor's
    classifier in place of Inception, and over all samples at once instead of ten splits, which
    would each underestimate ``p(y)``'s entropy.
    """

    streams = ("generated",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert context.extractor is not None, "unfit without"
        # A block's sums: of items, of sum p log p, and of p for each class.
        self._sums = Sums(BLOCKS, 2 + len(context.extractor.classes))
        self.gathered = {"sums": self._sums}
        self._dealer = Dealer(BLOCKS)

    @classmethod
    def unfit(cls, context: Context) -> str:
        known = context.extractor is not None and context.extractor.classes
        return "" if known else "it needs an extractor that knows classes"

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002
        p = batch.probabilities.astype(np.float64)
        rows = np.column_stack([np.ones(len(p)), xlogy(p, p).sum(axis=1), p])
        np.add.at(self._sums.total, self._dealer.deal(len(p), batch.begin), rows)

    def compute(self) -> Iterable[Figure]:
        blocks = self._sums.total
        total = blocks.sum(axis=0)
        require(2 * BLOCKS, generated=int(total[0]))
        left_out = np.array([_score(total - block) for block in blocks])
        yield self.context.figure(
            self.context.of_features("inception-score", "classifier-score"),
            jackknife_interval(_score(total), left_out),
            "max",
            splits=1,
            interval=jackknife(BLOCKS),
        )


def _score(sums: np.ndarray) -> float:
    count, negative_entropies, classes = sums[0], sums[1], sums[2:]
    marginal = classes / count
    return float(np.exp(negative_entropies / count - xlogy(marginal, marginal).sum()))
