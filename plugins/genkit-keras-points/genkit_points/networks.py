"""The dense network that all models of points are made of."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.errors import DataError

INSIDE = (-1.0, 1.0)
"""The range that networks work in; models move points to it, and back to that of the data."""

LATENT_FREQUENCY = 1.5
_LAYERS = 3
_EMBEDDING = 16
_WAVES = 32


def dense(
    name: str,
    length: int,
    outputs: int,
    hidden: int,
    *,
    frequency: float = 5.0,
    classes: int = 0,
    last: str = "linear",
) -> Any:
    """Build a network of three hidden layers.

    It sees sines and cosines of the vector in random directions too: what is small in the plane
    is then easy to learn (Tancik et al. 2020, "Fourier Features Let Networks Learn High Frequency
    Functions in Low Dimensional Domains", section 5). The directions are always the same.

    Args:
        name: of the network.
        length: of the vectors that go in.
        outputs: length of those that come out, float32.
        hidden: units of each hidden layer.
        frequency: standard deviation of their angular frequencies: 5 suits points, less suits
            latents, which are spread wider.
        classes: with some, labels go in too: int32, shape ``(batch,)``.
        last: activation of the last.
    """
    vector = keras.Input((length,))
    directions = np.random.default_rng(0).normal(0, frequency, (length, _WAVES)).astype("float32")
    angles = ops.matmul(vector, directions)
    x = layers.Concatenate()([vector, ops.sin(angles), ops.cos(angles)])
    inputs = [vector]
    if classes:
        label = keras.Input((), dtype="int32")
        inputs.append(label)
        x = layers.Concatenate()([x, layers.Embedding(classes, _EMBEDDING)(label)])
    for _ in range(_LAYERS):
        x = layers.Dense(hidden, activation="silu")(x)
    x = layers.Dense(outputs, activation=last, dtype="float32")(x)
    return keras.Model(inputs if classes else vector, x, name=name)


def limits(schema: genkit.Schema) -> tuple[float, float]:
    """Return the range of the points.

    Raises:
        DataError: the data has no points of two coordinates with a range.
    """
    field = schema[schema.name_of("points")]
    if field.shape != (2,) or field.range is None or field.range[0] == field.range[1]:
        raise DataError(f"Expected points of shape (2,) in a range they fill; received {field}.")
    return field.range


def class_count(schema: genkit.Schema, conditional: bool) -> int:
    """Count the classes that a model is to know; 0 for one without labels.

    Raises:
        DataError: the data has no labels of two classes or more.
    """
    if not conditional:
        return 0
    count = len(schema[schema.name_of("label")].classes)
    if count < 2:  # noqa: PLR2004
        raise DataError(f"A conditional model needs two classes or more; received {count}.")
    return count
