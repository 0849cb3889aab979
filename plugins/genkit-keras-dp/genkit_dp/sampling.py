"""Poisson samples of the data and the noise for them, from a key that nobody else knows."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from genkit.data import Batch

WEIGHT = "dp_weight"
NOISE = "dp_noise/"
_KEY_BITS = 128


class PoissonSampler:
    """Draws each item with the same probability, into batches of a fixed number of rows.

    Rows that the sample doesn't fill hold other items, whose weight is 0. A sample that is larger
    than the batch is cut at random.

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
        """Give a batch's indices, its weights and its noise."""
        rng = np.random.Generator(np.random.Philox(key=self._key, counter=[0, 0, number, 0]))
        drawn = min(int(rng.binomial(self._items, self._rate)), self._rows)
        rows = rng.choice(self._items, self._rows, replace=False)
        beside = {WEIGHT: (np.arange(self._rows) < drawn).astype(np.float32)}
        for name, length in self._noise.items():
            beside[NOISE + name] = rng.standard_normal(length, dtype=np.float32)
        return rows, beside


def secret_key(given: int | None, folder: Path | None) -> int:
    """Give the run's secret key, drawn from the system when the run begins.

    Args:
        given: a known key instead, for tests.
        folder: the run directory, where it is kept for a resume; None to keep it nowhere.
    """
    if given is not None:
        return given
    file = None if folder is None else folder / "dp.key"
    if file is not None and file.exists():
        return int(file.read_text(encoding="ascii"), 16)
    key = int.from_bytes(os.urandom(_KEY_BITS // 8), "big")
    if file is not None:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as stream:
            stream.write(f"{key:032x}")
    return key
