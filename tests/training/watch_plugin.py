"""Metrics of the model that overfits on purpose: how far its weight is from five."""

import numpy as np
from keras import ops

import genkit


class Distance(genkit.Metric):
    """Two figures of one measure: better the lower, and better the higher."""

    streams = ()

    def compute(self):
        weight = float(ops.convert_to_numpy(self.context.model.weight()))
        if weight == 7:
            raise ValueError("it is seven")
        for name, sign, direction in (("distance", 1, "min"), ("closeness", -1, "max")):
            value = sign * (weight - 5) ** 2
            yield self.context.figure(name, (value, value, value), direction)
        yield self.context.figure("endless", (np.inf, np.inf, np.inf), "min")


class Loss(genkit.Metric):
    """A figure of the name of a loss."""

    streams = ()

    def compute(self):
        yield self.context.figure("loss", (0, 0, 0), "min")


class Discreet(genkit.Trainer):
    """Lets nothing out of the data but the model."""

    protects_data = True


@genkit.hookimpl
def genkit_trainers():
    yield genkit.TrainerSpec(
        name="discreet", summary="Protects its data", trainer=f"{__name__}:Discreet"
    )


@genkit.hookimpl
def genkit_metrics():
    for name, metric in (("distance", "Distance"), ("loss", "Loss")):
        yield genkit.MetricSpec(
            name=name,
            summary="Distance from five",
            metric=f"{__name__}:{metric}",
            direction="min",
            modality="image",
        )
