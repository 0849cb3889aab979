"""The downstream classifier: the same small network, trained the same way, in every arm."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from genkit.data import Source
from genkit.layers import Conv2D, Dropout, augment_images, rescale
from genkit.layers.augmentation import DRAWS
from genkit.models.model import Model
from genkit.models.training.trainer import Trainer
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.plan.fitting import FitSettings

if TYPE_CHECKING:
    from genkit.plugins.specs import Schema

BATCH_SIZE = 64
LEARNING_RATE = 1e-3
_SMALLEST, _WIDEST, _HIDDEN = 8, 128, 128
_EVALUATED = 512  # items corrupted and classified at a time


class ArmClassifier(Model):
    """Convolutions of stride 2 down to 8 pixels or fewer, dropout, and two dense layers.

    Trained by cross-entropy with Adam. Nothing is chosen by a held-out score: the weights after
    the last step are the result.

    Args:
        schema: an image field with a range, and a label field.
        classical: random changes to every training image, some of ``flip``, ``translation`` and
            ``cutout``; see ``genkit.layers.augment_images``. What is cut out or shifted in is
            black.
    """

    schema: Schema

    def __init__(self, schema: Schema, classical: Sequence[str] = ()) -> None:
        super().__init__(None, schema)
        self.capabilities = ()
        self.classical = tuple(classical)
        image = schema[schema.name_of("image")]
        assert image.range is not None, "can_draw() was asked"
        self.range, self.span = image.range, image.span
        depth = max(2, math.ceil(math.log2(max(image.shape[:2]) / _SMALLEST)))  # type: ignore[type-var, operator]
        widths = [min(_WIDEST, 32 * 2**level) for level in range(depth)]
        self.network = keras.Sequential(
            [
                keras.Input(image.shape),
                *(Conv2D(w, 3, strides=2, padding="same", activation="relu") for w in widths),
                layers.Flatten(),
                Dropout(0.3),
                layers.Dense(_HIDDEN, activation="relu"),
                layers.Dense(len(schema[schema.name_of("label")].classes)),
            ]
        )
        self.add_optimizer("classifier", keras.optimizers.Adam(LEARNING_RATE), self.network)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"draws": rng.random((n, DRAWS + 1), dtype="float32")} if self.classical else {}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        return {"loss": minimize("classifier", self.cross_entropy, batch)[0]}

    def cross_entropy(self, batch: dict[str, Any]) -> Any:
        """Return the mean cross-entropy of the labels, in nats."""
        images = rescale(batch[self.schema.name_of("image")], self.range, (0.0, 1.0))
        if self.classical:
            images = self._changed(images, batch["draws"])
        logits = self.network(images, training=True)
        labels = batch[self.schema.name_of("label")]
        losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        return ops.mean(losses)

    def _changed(self, images: Any, draws: Any) -> Any:
        if "flip" in self.classical:
            turned = draws[:, DRAWS, None, None, None] < 0.5  # noqa: PLR2004 - one in two
            images = ops.where(turned, ops.flip(images, axis=2), images)
        return augment_images(images, draws[:, :DRAWS], self.classical)

    def logits(self, items: Any) -> Any:
        """Map images in [0, 1], ``(batch, height, width, channels)``, to ``(batch, classes)``."""
        return self.network(items, training=False)

    def unit(self, images: np.ndarray) -> np.ndarray:
        """Bring images from the schema's range to [0, 1], float32."""
        return (images.astype("float32") - np.float32(self.range[0])) / np.float32(self.span)


def trained(
    source: Source, classical: Sequence[str], steps: int, seed: int, callbacks: Sequence[Any] = ()
) -> tuple[ArmClassifier, int]:
    """Train a classifier.

    Args:
        source: images and labels.
        classical: see ``ArmClassifier``.
        steps: of at most 64 items each; the same in every arm, however many items there are.
        seed: of weights, order and dropout; with the same seed every arm begins with the same
            weights.
        callbacks: ``keras.callbacks.Callback`` objects.

    Returns:
        the classifier, and the number of the signal that ended training early, or 0.
    """
    kept = random.getstate()
    random.seed(seed)  # from here Keras draws the seeds of weights and of dropout
    try:
        classifier = ArmClassifier(source.schema, classical)
    finally:
        random.setstate(kept)
    settings = FitSettings(batch_size=min(BATCH_SIZE, len(source)), steps=steps, seed=seed)
    outcome = Trainer().fit(classifier, source, UnsavedRun(settings), callbacks)
    return classifier, outcome.signal


def accuracy(
    classifier: ArmClassifier,
    source: Source,
    corruption: Callable[[np.ndarray, int], np.ndarray] | None = None,
) -> float:
    """Return the share of items whose label is found, a few hundred items in memory at a time.

    Args:
        classifier: trained.
        source: the items.
        corruption: changes images in [0, 1] before they are shown; it is told the first's index.
    """
    image, label = (classifier.schema.name_of(kind) for kind in ("image", "label"))
    hits = 0
    for start in range(0, len(source), _EVALUATED):
        batch = source.gather(np.arange(start, min(start + _EVALUATED, len(source))))
        items = classifier.unit(batch[image])
        if corruption is not None:
            items = corruption(items, start)
        found = classifier.map_items("logits", items=items).argmax(axis=1)
        hits += int((found == batch[label]).sum())
    return hits / len(source)
