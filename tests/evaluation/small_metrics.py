"""A plugin with small metrics, and what they were shown."""

import numpy as np

import genkit
from genkit.evaluation.intervals import mean_interval

shown = {}


class Brightness(genkit.Metric):
    """Mean value of generated items; counts what it is shown."""

    streams = ("generated",)

    def __init__(self, context):
        super().__init__(context)
        self.means, self.labels = [], []

    def update(self, stream, batch):
        self.means.extend(batch.items.mean(axis=(1, 2, 3)))
        self.labels.extend([] if batch.labels is None else batch.labels.tolist())

    def compute(self):
        shown["brightness"] = shown.get("brightness", 0) + 1
        shown["labels"] = self.labels
        yield self.context.figure("brightness", mean_interval(self.means), "max", interval="t")


class Distance(genkit.Metric):
    """How far the mean features of the streams are apart."""

    streams = ("generated", "real", "training")

    def __init__(self, context):
        super().__init__(context)
        self.features = {stream: [] for stream in self.streams}

    def update(self, stream, batch):
        self.features[stream].append(batch.features)

    def compute(self):
        means = {k: np.concatenate(rows).mean(axis=0) for k, rows in self.features.items()}
        for stream in ("real", "training"):
            value = float(np.linalg.norm(means["generated"] - means[stream]))
            yield self.context.figure(f"distance-to-{stream}", (value,) * 3, "min")


class Faulty(genkit.Metric):
    """Fails when it is shown something."""

    def update(self, stream, batch):
        raise ZeroDivisionError("of its own")


class Unfit(genkit.Metric):
    """Never fits."""

    @classmethod
    def unfit(cls, context):
        return f"it wants more than {type(context.extractor).__name__}"


class Weights(genkit.Metric):
    """Looks at the model itself, and at no items."""

    streams = ()

    def compute(self):
        n = len(self.context.model.weights)
        yield self.context.figure("weights", (n, n, n), "min")


@genkit.hookimpl
def genkit_metrics():
    for name, metric, modality in (
        ("brightness", "Brightness", "image"),
        ("distance", "Distance", "image"),
        ("faulty", "Faulty", "image"),
        ("unfit", "Unfit", "image"),
        ("weights", "Weights", "vector"),
        ("of-text", "Brightness", "text"),
    ):
        yield genkit.MetricSpec(
            name=name,
            summary="For tests",
            metric=f"{__name__}:{metric}",
            direction="min",
            modality=modality,
        )
