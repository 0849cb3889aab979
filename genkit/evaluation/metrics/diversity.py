"""Diversity: how far apart samples are from each other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from genkit.evaluation.figure import Figure
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.jackknife import BLOCKS, jackknife, jackknife_interval
from genkit.evaluation.metrics.kept import Kept, require
from genkit.evaluation.metrics.pairs import squared_distances, sums_within, without
from genkit.evaluation.metrics.widths import no_features

LIMIT = 5_000


class Diversity(Metric):
    """The mean distance of two samples, in features of length 1, as it is and relative to real.

    In the manner of LPIPS diversity (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep
    Features ...", equation 1; Zhu et al. 2017, "Toward Multimodal Image-to-Image Translation",
    section 5.2), with the extractor's features and over all pairs.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kept = {stream: Kept(LIMIT, context.seed) for stream in self.streams}
        self.gathered = self._kept

    @classmethod
    def unfit(cls, context: Context) -> str:
        return no_features(context)

    def update(self, stream: str, batch: Batch) -> None:
        features = batch.features
        lengths = np.linalg.norm(features, axis=1, keepdims=True)
        # A black picture has the features 0 and no direction: it stays where it is.
        self._kept[stream].add(features / np.where(lengths > 0, lengths, 1), batch.begin)

    def compute(self) -> Iterable[Figure]:
        require(2 * BLOCKS, **{stream: len(kept) for stream, kept in self._kept.items()})
        value, left_out = _mean_distances(self._kept["generated"].rows.astype(np.float64))
        known = self.context.of_real(f"mean distances of at most {LIMIT}", self._of_real)
        of_real, real_left_out = float(known["mean"]), known["left_out"]
        card = {"at_most": LIMIT, "interval": jackknife(BLOCKS)}
        interval = jackknife_interval(value, left_out)
        yield self.context.figure(self.context.of_features("diversity"), interval, "max", **card)
        if of_real:
            interval = jackknife_interval(value / of_real, left_out / real_left_out)
            yield self.context.figure(
                self.context.of_features("relative-diversity"), interval, "max", **card
            )

    def _of_real(self) -> dict[str, np.ndarray]:
        mean, left_out = _mean_distances(self._kept["real"].rows.astype(np.float64))
        return {"mean": np.asarray(mean), "left_out": left_out}


def _mean_distances(rows: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean distance of two rows, and the same without each block."""
    blocks = np.array_split(rows, BLOCKS)
    sums = sums_within(blocks, lambda a, b: np.sqrt(squared_distances(a, b)))
    remaining = np.array([len(rows) - len(block) for block in blocks])
    left_out = np.array([without(sums, block) for block in range(BLOCKS)])
    n = len(rows)
    return float(sums.sum()) / (n * (n - 1)), left_out / (remaining * (remaining - 1))
