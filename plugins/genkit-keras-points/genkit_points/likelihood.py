"""The log density of data under a model that knows densities."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

import genkit
from genkit.evaluation import Batch, Context, Figure, mean_interval


class LogDensity(genkit.Metric):
    """The mean of ``log p(x)`` over held-out points, in nats; any model can have ``density``."""

    streams = ("real",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._found: list[np.ndarray] = []

    @classmethod
    def unfit(cls, context: Context) -> str:
        knows = context.model is not None and "density" in context.model.capabilities
        return "" if knows else "the model knows no densities"

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002 - there is but one
        self._found.append(self.context.model.density(batch.items))

    def compute(self) -> Iterable[Figure]:
        interval = mean_interval(np.concatenate(self._found))
        kind = "95 % t interval of the mean"
        yield self.context.figure("log-density", interval, "max", unit="nats", interval=kind)
