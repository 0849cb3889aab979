"""A classifier of a data set's images, trained once, that says what generated images show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers

import genkit
from genkit.layers import Conv2D


class Classifier(genkit.Model):
    """Two convolutions and a dense layer, trained by cross-entropy.

    Args:
        schema: fields ``image`` and ``label``.
    """

    def __init__(self, schema: genkit.Schema) -> None:
        super().__init__(None, schema)
        classes = len(schema["label"].classes)
        self.network = keras.Sequential(
            [
                keras.Input(schema["image"].shape),
                layers.Rescaling(1 / 255),
                Conv2D(16, 3, strides=2, padding="same", activation="relu"),
                Conv2D(32, 3, strides=2, padding="same", activation="relu"),
                layers.Flatten(),
                layers.Dropout(0.3),
                layers.Dense(128, activation="relu", dtype="float32"),
            ]
        )
        self.head = layers.Dense(classes, dtype="float32")
        self.head.build(self.network.output_shape)
        self.add_optimizer("classifier", keras.optimizers.Adam(1e-3), self.network, self.head)

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        def loss(batch: dict[str, Any]) -> Any:
            items = keras.ops.cast(batch["image"], "float32")
            logits = self.head(self.network(items, training=True))
            wrong = keras.losses.sparse_categorical_crossentropy
            return keras.ops.mean(wrong(batch["label"], logits, from_logits=True))

        return {"loss": minimize("classifier", loss, batch)[0]}

    def logits(self, items: Any) -> Any:
        """Map images, in the schema's range, to ``(batch, classes)``."""
        return self.head(self.features(items))

    def features(self, items: Any) -> Any:
        """Map images, in the schema's range, to what the last layer sees: ``(batch, 128)``."""
        return self.network(keras.ops.cast(items, "float32"), training=False)

    def predict_classes(self, images: np.ndarray) -> np.ndarray:
        """Give the most likely class of each image: int, shape ``(n,)``."""
        classes: np.ndarray = self.map_items("logits", items=images).argmax(axis=1)
        return classes


def trained_on(source: Any, weights: Path) -> Classifier:
    """Give a classifier of the source's images; its weights are kept in a file."""
    classifier = Classifier(source.schema)
    if weights.exists():
        with np.load(weights) as arrays:
            classifier.set_weights([arrays[key] for key in sorted(arrays, key=int)])
        return classifier
    classifier.fit(source, epochs=5, batch_size=128, verbose=False)
    arrays = {str(i): array for i, array in enumerate(classifier.get_weights())}
    np.savez(weights, **arrays)
    return classifier
