"""Class coverage: does a model make items of every class that the data has?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from genkit.evaluation.figure import Figure
from genkit.evaluation.intervals import LEVEL
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.gathered import Sums
from genkit.evaluation.metrics.kept import require

SHARE = 0.1
_RESAMPLES = 1000


class ClassCoverage(Metric):
    """The share of the data's classes that samples cover, as the extractor's classifier sees them.

    A class counts as covered if its share of the samples is at least a tenth of its share of the
    real items: of ten classes of equal size, each needs one sample in a hundred. A classifier makes
    mistakes, so that a single sample said to be of a class proves little.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert context.extractor is not None, "unfit without"
        classes = len(context.extractor.classes)
        self._counts = {stream: Sums(classes) for stream in self.streams}
        self.gathered = self._counts

    @classmethod
    def unfit(cls, context: Context) -> str:
        known = context.extractor is not None and context.extractor.classes
        return "" if known else "it needs an extractor that knows classes"

    def update(self, stream: str, batch: Batch) -> None:
        classes = batch.probabilities.argmax(axis=1)
        total = self._counts[stream].total
        total += np.bincount(classes, minlength=len(total))

    def compute(self) -> Iterable[Figure]:
        generated, real = (self._counts[stream].total for stream in ("generated", "real"))
        n, m = int(generated.sum()), int(real.sum())
        require(1, generated=n, real=m)
        # Items of a bootstrap fall into classes like draws from the counts themselves.
        rng = np.random.default_rng(self.context.seed)
        resampled = [
            _coverage(rng.multinomial(n, generated / n), rng.multinomial(m, real / m))
            for _ in range(_RESAMPLES)
        ]
        low, high = np.quantile(resampled, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2])
        yield self.context.figure(
            self.context.of_features("class-coverage"),
            (_coverage(generated, real), low, high),
            "max",
            covered_from=SHARE,
            interval=f"95 % percentile bootstrap of the counts, {_RESAMPLES} resamples",
        )


def _coverage(generated: np.ndarray, real: np.ndarray) -> float:
    there = real > 0
    share = generated[there] / generated.sum()
    return float((share >= SHARE * real[there] / real.sum()).mean())
