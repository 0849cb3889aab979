"""How a network takes the label besides its own input: as numbers beside it, or as a plane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from genkit.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.plugins.specs import Schema

EMBEDDING = 32
"""Numbers that stand for a label beside a vector."""


def class_count(schema: Schema, model: str) -> int:
    """Count the classes of the schema's label.

    Raises:
        DataError: no label, or one class alone.
    """
    count = len(schema[schema.name_of("label")].classes)
    if count < 2:  # noqa: PLR2004
        raise DataError(
            f"{model} needs labels of two classes or more; received {count}.",
            "Put images into one sub-folder a class, or give label names with the data.",
        )
    return count


def wants_labels(conditional: bool | None, schema: Schema) -> bool:
    """Whether a model learns from labels: as its setting says, or where the data has classes."""
    if conditional is not None:
        return conditional
    labels = [field for field in schema.fields.values() if field.modality == "label"]
    return any(len(field.classes) > 1 for field in labels)


def beside_vector(build: Callable[[int], Any], length: int, classes: int) -> Any:
    """Let a network of vectors see the label: an embedding is put beside the vector.

    Args:
        build: makes the network for vectors of the length it is given.
        length: of the vectors alone.
        classes: how many there are.

    Returns:
        a network of ``(batch, length)`` and ``(batch,)`` int32.
    """
    network = build(length + EMBEDDING)
    vector, label = keras.Input((length,)), keras.Input((), dtype="int32")
    embedded = layers.Embedding(classes, EMBEDDING)(label)
    joined = layers.Concatenate()([vector, embedded])
    return keras.Model([vector, label], network(joined), name=network.name)


def beside_image(
    build: Callable[[tuple[int, int, int]], Any], shape: tuple[int, int, int], classes: int
) -> Any:
    """Let a network of images see the label: one more channel, a plane learned for each class.

    Args:
        build: makes the network for images of the shape it is given.
        shape: ``(height, width, channels)`` of the images alone.
        classes: how many there are.

    Returns:
        a network of ``(batch, *shape)`` and ``(batch,)`` int32.
    """
    height, width, channels = shape
    network = build((height, width, channels + 1))
    image, label = keras.Input(shape), keras.Input((), dtype="int32")
    plane = layers.Embedding(classes, height * width)(label)
    joined = layers.Concatenate()([image, layers.Reshape((height, width, 1))(plane)])
    return keras.Model([image, label], network(joined), name=network.name)
