"""Memorisation: are samples nearer to the training data than chance would have it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from genkit.evaluation.figure import Figure
from genkit.evaluation.intervals import (
    BOOTSTRAP,
    WILSON,
    proportion_interval,
    two_groups_interval,
)
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.kept import Kept, require
from genkit.evaluation.metrics.pairs import nearest
from genkit.evaluation.metrics.waiting import Digests, WaitingRows
from genkit.evaluation.metrics.widths import no_view

LIMIT = 10_000
CALIBRATED_BY = 2_000
QUANTILE = 0.01
DEFINITION = "median of d(training) / d(held out) of samples, over that of held-out items"


class Pair(NamedTuple):
    """A sample, and the training item that it is nearest to.

    Args:
        sample: its place among the samples shown.
        training: its place among the training items shown.
        distance: Euclidean, in the extractor's view: of images in pixel values from 0 to 255; 0 if
            they are equal there.
    """

    sample: int
    training: int
    distance: float


class Memorisation(Metric):
    """Distances of samples to the training items, against their distances to held-out items.

    An item's ratio is its distance to the nearest of all training items, over that to the nearest
    held-out item. More references are nearer: so ratios are compared with those of held-out items,
    which leave themselves out.

    - ``memorisation``: the median ratio of samples, over that of held-out items. 1 if samples are
      no nearer to the training data than held-out data is; 0 if most are copies.
    - ``near-copies``: the share of samples whose nearest training item is so much nearer than
      their nearest held-out item as only 1 % of held-out items have it. Being measured against the
      sample's own distance to held-out data, it isn't misled by blurred samples, which are near to
      everything (Carlini et al. 2023, "Extracting Training Data from Diffusion Models", section
      4.2, normalise by a sample's neighbourhood for that reason).
    - ``copies``: how many samples are training items, as far as the view can tell.

    All in the view that the extractor has of the items, which of images is their 8-bit pixels
    whatever the extractor: features made to see classes put different pictures of one class close
    together. Of every training item the view is looked at: they wait in memory, and above 256 MiB
    in a temporary file.
    """

    streams = ("generated", "real", "training")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._kept = {stream: Kept(LIMIT, context.seed) for stream in ("generated", "real")}
        self._training = WaitingRows()
        self._digests = {stream: Digests() for stream in ("generated", "training")}
        self.gathered = {
            **{f"{stream}-kept": kept for stream, kept in self._kept.items()},
            **{f"{stream}-digests": each for stream, each in self._digests.items()},
            "training-rows": self._training,
        }
        self._pairs: list[Pair] = []

    @classmethod
    def unfit(cls, context: Context) -> str:
        return "it needs the training data" if context.training is None else no_view(context)

    @property
    def pairs(self) -> list[Pair]:
        """The near copies, nearest first, once computed: for people to look at."""
        return self._pairs

    def update(self, stream: str, batch: Batch) -> None:
        rows, begin = batch.view, batch.begin
        if stream in self._kept:
            self._kept[stream].add(rows, begin)
        if stream in self._digests:
            self._digests[stream].add(rows, begin)
        if stream == "training":
            self._training.add(rows, begin)

    def compute(self) -> Iterable[Figure]:
        counts = {stream: len(kept) for stream, kept in self._kept.items()}
        require(2, **counts, training=len(self._training))
        generated, real = (self._kept[stream].rows for stream in ("generated", "real"))
        assert self.context.extractor is not None, "unfit without"
        card = {"space": self.context.extractor.space, "at_most": LIMIT}
        n = len(generated)
        distances, places, ratios = self._ratios(generated, real[:CALIBRATED_BY], real)
        yield self.context.figure(
            self.context.of_features("memorisation"),
            two_groups_interval(ratios[:n], ratios[n:], _ratio_of_medians, seed=self.context.seed),
            "max",
            interval=BOOTSTRAP + " over samples and held-out items",
            definition=DEFINITION,
            **card,
        )
        threshold = np.quantile(ratios[n:], QUANTILE)
        samples = self._kept["generated"].places
        near = [
            Pair(int(samples[i]), int(places[i]), float(distances[i]))
            for i in np.flatnonzero(ratios[:n] <= threshold)
        ]
        yield self.context.figure(
            self.context.of_features("near-copies"),
            proportion_interval(len(near), n),
            "min",
            interval=WILSON + "; the threshold taken as given",
            expected=QUANTILE,
            **card,
        )
        exact = self._exact_copies()
        by_sample = {pair.sample: pair for pair in (*near, *exact)}
        self._pairs = sorted(by_sample.values(), key=lambda pair: (pair.distance, pair.sample))
        shown = self._kept["generated"].seen
        value, low, high = proportion_interval(len(exact), shown)
        yield self.context.figure(
            self.context.of_features("copies"),
            (value * shown, low * shown, high * shown),
            "min",
            interval=WILSON + ", times the number of samples",
            space=card["space"],
        )

    def _ratios(
        self, generated: np.ndarray, few: np.ndarray, real: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return distance and place of the nearest training item, and the ratio.

        Of the samples, then of the first few held-out items; these are the same for every model.
        """

        def calibrate() -> dict[str, np.ndarray]:
            distances, places = self._nearest_training(few)
            to_real, _ = nearest(few, real, leave_self_out=True)
            return {"distances": distances, "places": places, "to_real": to_real}

        known = self.context.of_real(
            f"nearest of {CALIBRATED_BY} of at most {LIMIT} held out", calibrate
        )
        mine, places = self._nearest_training(generated)
        distances = np.concatenate([mine, known["distances"]])
        to_real = np.concatenate([nearest(generated, real)[0], known["to_real"]])
        places = np.concatenate([places, known["places"]])
        return distances, places, distances / np.maximum(to_real, 1e-9)

    def _nearest_training(self, queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        distances = np.full(len(queries), np.inf)
        places = np.zeros(len(queries), np.int64)
        for start, rows in self._training.chunks():
            found, where = nearest(queries, rows)
            nearer = found < distances
            distances[nearer], places[nearer] = found[nearer], start + where[nearer]
        return distances, places

    def _exact_copies(self) -> list[Pair]:
        samples, sample_places = self._digests["generated"].in_order()
        items, item_places = self._digests["training"].in_order()
        known, first = np.unique(items, return_index=True)
        where = np.minimum(np.searchsorted(known, samples), len(known) - 1)
        return [
            Pair(int(sample_places[i]), int(item_places[first[where[i]]]), 0.0)
            for i in np.flatnonzero(known[where] == samples)
        ]


def _ratio_of_medians(samples: np.ndarray, held_out: np.ndarray) -> float:
    expected = np.median(held_out)
    # Where held-out items are training items themselves, no sample can be nearer.
    return float(np.median(samples) / expected) if expected else 1.0
