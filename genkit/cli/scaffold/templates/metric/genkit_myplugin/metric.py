"""The metric; imported when it is used."""

import math
from collections.abc import Iterable, Mapping

import genkit
import numpy as np
from genkit.errors import DataError
from genkit.evaluation import Batch, Context, Figure

_NORMAL_95 = 1.96


class BrightnessGap(genkit.Metric):
    """How far the mean brightness of generated images is from that of real ones.

    Brightness is the mean of an image's values, 0 where all are the lowest of the data's range and
    1 where all are the highest. The figure is the difference of the two means, without its sign;
    the interval is that of the difference (Welch), cut at 0.
    """

    streams = ("generated", "real")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.range = context.schema[context.schema.name_of("image")].range or (0.0, 1.0)
        self.found: dict[str, list[float]] = {stream: [] for stream in self.streams}

    @classmethod
    def unfit(cls, context: Context) -> str:
        fields = context.schema.fields.values()
        fits = any(field.modality == "image" and field.range for field in fields)
        return "" if fits else "it needs images whose range is known"

    def update(self, stream: str, batch: Batch) -> None:
        low, high = self.range
        means = batch.items.mean(axis=(1, 2, 3), dtype=np.float64)
        self.found[stream].extend((means - low) / (high - low))

    def state(self) -> dict[str, np.ndarray]:
        return {stream: np.array(found) for stream, found in self.found.items()}

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        for stream, found in state.items():
            self.found[stream].extend(found)

    def compute(self) -> Iterable[Figure]:
        generated, real = (np.array(self.found[stream]) for stream in self.streams)
        if min(len(generated), len(real)) < 2:
            raise DataError(f"Expected 2 images each; received {len(generated)} and {len(real)}.")
        gap = abs(float(generated.mean() - real.mean()))
        error = math.sqrt(sum(each.var(ddof=1) / len(each) for each in (generated, real)))
        half = _NORMAL_95 * error
        yield self.context.figure(
            "brightness-gap",
            (gap, max(0.0, gap - half), gap + half),
            "min",
            interval="95 % normal interval of the difference of two means",
        )
