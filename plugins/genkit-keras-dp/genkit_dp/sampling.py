"""Poisson samples of the data and the noise for them, from a key that nobody else knows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from genkit.data import Batch

WEIGHT = "dp_weight"
NOISE = "dp_noise/"


class PoissonSampler:
    """Draws each item with the same probability, into batches of a fixed number of rows.

    The size of such a sample is binomial, and given its size every subset is as likely: so the
    size is drawn first. Rows that the sample doesn't fill hold other items, whose weight is 0. A
    sample that is larger than the batch is cut at random.

    Args:
        items: in the data.
        rate: probability of each item to be in a sample.
        rows: of a batch.
        key: 128 secret bits; what is drawn follows from it and the batch's number.
        noise: length of the noise vector of each optimizer, by name.
    """

    def __init__(
        self, items: int, rate: float, rows: int, key: int, noise: Mapping[str, int]
    ) -> None:
        self.batches_per_epoch = max(1, round(1 / rate))
        self._items, self._rate, self._rows = items, rate, rows
        self._key, self._noise = key, dict(noise)

    def __call__(self, number: int) -> tuple[np.ndarray, Batch]:
        """Return a batch's indices, its weights and its noise."""
        # The generator counts in the lowest word: no two batches share a number.
        rng = np.random.Generator(np.random.Philox(key=self._key, counter=[0, 0, number, 0]))
        drawn = min(int(rng.binomial(self._items, self._rate)), self._rows)
        rows = rng.choice(self._items, self._rows, replace=False)
        # The sample stands in random rows: were it the first ones, one more item would move others
        # to rows with other noise of the model, and the sum would change by more than one item's.
        weights = rng.permutation((np.arange(self._rows) < drawn).astype(np.float32))
        beside = {WEIGHT: weights}
        for name, length in self._noise.items():
            drawn_noise = rng.standard_normal(length, dtype=np.float32)
            beside[NOISE + name] = in_rows(drawn_noise, self._rows)
        return rows, beside


def in_rows(vector: np.ndarray, rows: int) -> np.ndarray:
    """Return a vector as rows of a batch, with zeros at its end: workers divide it as items."""
    return np.pad(vector, (0, -len(vector) % rows)).reshape(rows, -1)
