"""How evenly pictures change between styles: the path length, as a figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import genkit
from genkit.evaluation import Batch, Context, Figure, mean_interval
from genkit_style.styles import drawn, styles_of

_PAIRS, _STEP = 1000, 0.1


class Smoothness(genkit.Metric):
    """The mean squared distance in features of a tenth of the way between styles, over its square.

    Karras et al. 2019, "A Style-Based Generator Architecture for Generative Adversarial Networks",
    section 4.1, in w and over whole ways, with two changes: features are those of the evaluation's
    extractor, and the step is a tenth of the way instead of a ten-thousandth, since extractors take
    pictures of 8 bits. Less is smoother; a generator that draws one picture is the smoothest.
    """

    streams = ()

    @classmethod
    def unfit(cls, context: Context) -> str:
        knows = context.model is not None and "styles" in context.model.capabilities
        if not knows:
            return "the model has no styles"
        return "" if context.extractor is not None else "the data has no extractor"

    def update(self, stream: str, batch: Batch) -> None:
        """Nothing is shown: pictures are drawn between styles."""

    def compute(self) -> Iterable[Figure]:
        model: Any = self.context.model
        w = styles_of(model, 2 * _PAIRS, self.context.seed, psi=1.0)
        first, way = w[:_PAIRS], w[_PAIRS:] - w[:_PAIRS]
        rng = np.random.default_rng(self.context.seed)
        begin = rng.uniform(0, 1 - _STEP, (_PAIRS, 1)).astype("float32")
        here, there = (
            self.context.extractor.features(drawn(model, (first + share * way)[:, None]))
            for share in (begin, begin + np.float32(_STEP))
        )
        lengths = np.square(here - there).sum(axis=1) / _STEP**2
        yield self.context.figure(
            "smoothness",
            mean_interval(lengths),
            "min",
            interval="95 % t interval of the mean",
            pairs=_PAIRS,
            step=_STEP,
        )
