"""Memorisation: are samples nearer to the training data than chance would have it?"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from genkit.errors import DataError
from genkit.evaluation.extractors.pixels import eight_bits
from genkit.evaluation.figure import Figure
from genkit.evaluation.held_out import digests
from genkit.evaluation.intervals import (
    BOOTSTRAP,
    WILSON,
    proportion_interval,
    two_groups_interval,
)
from genkit.evaluation.metric import Batch, Context, Metric
from genkit.evaluation.metrics.kept import Kept, require
from genkit.evaluation.metrics.pairs import nearest
from genkit.files import reason_of

LIMIT = 10_000
CALIBRATED_BY = 2_000
QUANTILE = 0.01
DEFINITION = "median of d(training) / d(held out) of samples, over that of held-out items"
IN_MEMORY = 1 << 28
_ROWS = 4096


class Pair(NamedTuple):
    """A sample, and the training item that it is nearest to.

    Args:
        sample: its place among the samples shown.
        training: its place among the training items shown.
        distance: Euclidean, in pixel values from 0 to 255; 0 if they are equal to 8 bits.
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
    - ``copies``: how many samples are training items, to 8 bits.

    All in pixels, whatever the extractor: a copy is a copy of pixels, and features made to see
    classes put different pictures of one class close together. Of every training item the 8-bit
    pixels are looked at: they wait in memory, and above 256 MiB in a temporary file.
    """

    streams = ("generated", "real", "training")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._image = context.items
        self._kept = {stream: Kept(LIMIT, context.seed) for stream in ("generated", "real")}
        self._training = WaitingRows()
        self._n_training = 0
        self._digests: dict[str, list[np.ndarray]] = {"generated": [], "training": []}
        self._pairs: list[Pair] = []

    @classmethod
    def unfit(cls, context: Context) -> str:
        if context.training is None:
            return "it needs the training data"
        if context.items.range is None:
            return "it needs images with a range"
        return ""

    @property
    def pairs(self) -> list[Pair]:
        """The near copies, nearest first, once computed: for people to look at."""
        return self._pairs

    def update(self, stream: str, batch: Batch) -> None:
        rows = eight_bits(batch.items, self._image).astype(np.uint8).reshape(len(batch), -1)
        if stream in self._kept:
            self._kept[stream].add(rows)
        if stream in self._digests:
            self._digests[stream].append(digests(rows))
        if stream == "training":
            self._training.add(rows)
            self._n_training += len(rows)

    def compute(self) -> Iterable[Figure]:
        counts = {stream: len(kept) for stream, kept in self._kept.items()}
        require(2, **counts, training=self._n_training)
        generated, real = (self._kept[stream].rows for stream in ("generated", "real"))
        card = {"space": "pixels, 8 bits", "at_most": LIMIT}
        n = len(generated)
        distances, places, ratios = self._ratios(generated, real[:CALIBRATED_BY], real)
        yield self.context.figure(
            "memorisation",
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
            "near-copies",
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
            "copies",
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
        samples, items = (np.concatenate(self._digests[name]) for name in self._digests)
        known, first = np.unique(items, return_index=True)
        where = np.minimum(np.searchsorted(known, samples), len(known) - 1)
        return [
            Pair(int(i), int(first[where[i]]), 0.0) for i in np.flatnonzero(known[where] == samples)
        ]


class WaitingRows:
    """Rows of bytes that wait to be read again: 256 MiB in memory, more in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="genkit-")  # noqa: SIM115 - open as long as the metric lives
        weakref.finalize(self, self._file.close)
        self._width = 0

    def add(self, rows: np.ndarray) -> None:
        """Append uint8 rows of shape ``(n, width)``.

        Raises:
            DataError: there is no room for them.
        """
        self._width = rows.shape[1]
        try:
            self._file.write(rows.tobytes())
        except OSError as error:
            raise DataError(
                f"Expected room for the training items in {tempfile.gettempdir()}; "
                f"{reason_of(error)}.",
                "Point TMPDIR to a folder on a larger disk, or leave memorisation out.",
            ) from error

    def chunks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Return the place of a chunk's first row, and the chunk; again from the first row."""
        self._file.seek(0)
        start = 0
        while data := self._file.read(_ROWS * self._width):
            rows = np.frombuffer(data, np.uint8).reshape(-1, self._width)
            yield start, rows
            start += len(rows)
        self._file.seek(0, 2)


def _ratio_of_medians(samples: np.ndarray, held_out: np.ndarray) -> float:
    expected = np.median(held_out)
    # Where held-out items are training items themselves, no sample can be nearer.
    return float(np.median(samples) / expected) if expected else 1.0
