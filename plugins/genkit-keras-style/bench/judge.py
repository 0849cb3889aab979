"""What judges faces: a small classifier of their attributes, and the Frechet distance by it.

It is trained on the attributes that come with the pixel-art faces, never on what a model draws. Its
weights' SHA-256 stands with each figure: figures of different judges don't compare.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.data import as_source
from genkit.evaluation.metrics.frechet import frechet_distance

WIDTH, EPOCHS, BATCH = 64, 40, 64
_ATTRIBUTES = ("hair", "mouth", "hat", "glasses", "beard", "accessories")
_COLOURS = ("hair_color", "skin_color", "clothing_color", "background")


def attributes_of(folder: Path) -> np.ndarray:
    """Return what is told of each face, float32 ``(n, attributes)``: 0 or 1, colours in [0, 1]."""
    lines = (folder / "metadata.jsonl").read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    columns: list[list[float]] = []
    for name in _ATTRIBUTES:
        values = sorted({str(each[name]) for each in told})[1:]
        columns += [[float(str(each[name]) == value) for each in told] for value in values]
    for name in _COLOURS:
        codes = [int(each[name][1:7], 16) for each in told]
        columns += [[(code >> shift & 255) / 255 for code in codes] for shift in (16, 8, 0)]
    return np.array(columns, "float32").T


class Judge(genkit.Model):
    """Three convolutions and a dense layer to the attributes of a face.

    Args:
        shape: of pictures in [0, 1].
        told: how many attributes there are.
    """

    def __init__(self, shape: tuple[int, int, int], told: int) -> None:
        super().__init__()
        stages = [
            layer
            for filters in (24, 48, 96)
            for layer in (
                layers.Conv2D(filters, 3, padding="same", activation="relu"),
                layers.MaxPooling2D(2),
            )
        ]
        self.network = keras.Sequential(
            [keras.Input(shape), *stages, layers.Flatten(), layers.Dense(WIDTH, activation="relu")]
        )
        self.head = layers.Dense(told)
        self.head.build((None, WIDTH))
        self.add_optimizer("judge", keras.optimizers.Adam(1e-3), self.network, self.head)

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        return {"loss": minimize("judge", self.wrong, batch)[0]}

    def wrong(self, batch: dict[str, Any]) -> Any:
        """Return the mean cross-entropy of the attributes."""
        logits = self.head(self.network(batch["picture"], training=True))
        told = batch["told"]
        return ops.mean(ops.softplus(logits) - told * logits)

    def features(self, items: Any) -> Any:
        """Return what the last layer sees, ``(batch, WIDTH)``."""
        return self.network(items, training=False)


def trained(pictures: np.ndarray, told: np.ndarray) -> tuple[Judge, str]:
    """Return a judge of pictures in [0, 1], and the SHA-256 of its weights."""
    keras.utils.set_random_seed(0)
    judge = Judge(pictures.shape[1:], told.shape[1])
    source = as_source({"picture": pictures, "told": told})
    judge.fit(source, epochs=EPOCHS, batch_size=BATCH, seed=0, verbose=False)
    digest = hashlib.sha256()
    for weight in judge.network.get_weights():
        digest.update(np.ascontiguousarray(weight, "<f4").tobytes())
    return judge, digest.hexdigest()


def statistics(judge: Judge, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the features of pictures in [0, 1]."""
    found = judge.map_items("features", items=pictures).astype("float64")
    return found.mean(axis=0), np.cov(found, rowvar=False)


def distance(judge: Judge, pictures: np.ndarray, real: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the Frechet distance of pictures to real ones, whose statistics are given."""
    return frechet_distance(statistics(judge, pictures), real)
