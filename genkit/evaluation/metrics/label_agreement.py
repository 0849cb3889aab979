"""Label agreement: does a conditional model make what it is asked for?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from genkit.errors import DataError
from genkit.evaluation.figure import Figure
from genkit.evaluation.intervals import WILSON, proportion_interval
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.gathered import Sums
from genkit.evaluation.metrics.kept import require


class LabelAgreement(Metric):
    """The share of samples that the extractor's classifier takes for the class asked for.

    Classifier accuracy on samples: Odena et al. 2017, "Conditional Image Synthesis with Auxiliary
    Classifier GANs", section 4.1. No model can be expected above the classifier's own accuracy.
    """

    streams = ("generated",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        assert context.extractor is not None, "unfit without"
        names = context.extractor.classes
        # The classifier may list the same classes in another order.
        self._numbers = np.array([names.index(name) for name in _classes(context)])
        self._counts = Sums(2)  # of hits, and of all
        self.gathered = {"counts": self._counts}

    @classmethod
    def unfit(cls, context: Context) -> str:
        if context.extractor is None or not context.extractor.classes:
            return "it needs an extractor that knows classes"
        if context.model is None or not context.model.conditional:
            return "it needs a model that is asked for classes"
        if set(_classes(context)) != set(context.extractor.classes):
            return "the extractor knows other classes than the model"
        return ""

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002
        if batch.labels is None:
            raise DataError("Expected samples with the labels asked for; received none.")
        seen_as = batch.probabilities.argmax(axis=1)
        hits = (seen_as == self._numbers[batch.labels]).sum()
        self._counts.total += (hits, len(batch))

    def compute(self) -> Iterable[Figure]:
        hits, seen = map(int, self._counts.total)
        require(1, generated=seen)
        interval = proportion_interval(hits, seen)
        name = self.context.of_features("label-agreement")
        yield self.context.figure(name, interval, "max", interval=WILSON)


def _classes(context: Context) -> tuple[str, ...]:
    return context.schema[context.schema.name_of("label")].classes
