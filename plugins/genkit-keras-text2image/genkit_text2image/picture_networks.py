"""The networks between pictures and grids of vectors, which all models of this plugin share."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

import genkit
from genkit.errors import DataError
from genkit.layers import Conv2D, Conv2DTranspose


def picture_shape(schema: genkit.Schema, halvings: int) -> tuple[int, int, int]:
    """Return the ``(height, width, channels)`` of pictures that can be halved so often.

    Raises:
        DataError: pictures of another kind.
    """
    field, apart = schema[schema.name_of("image")], 2**halvings
    sides = field.shape[:2]
    fit = len(field.shape) == 3 and all(side and side % apart == 0 for side in sides)  # noqa: PLR2004
    if not fit or field.range is None:
        raise DataError(
            f"Expected pictures whose sides {apart} divides, with a range; received {field}.",
            f"Resize them, --data side={4 * apart}, or halve them less often.",
        )
    height, width, channels = field.shape
    return int(height or 0), int(width or 0), int(channels or 0)


def build_encoder(
    shape: tuple[int, int, int], width: int, halvings: int, residual_blocks: int, outputs: int
) -> Any:
    """Build the way from pictures in [0, 1] to a grid of vectors.

    Args:
        shape: of the pictures.
        width: channels after the first halving; twice as many later.
        halvings: convolutions of stride 2.
        residual_blocks: behind them.
        outputs: length of the vectors.
    """
    x = image = keras.Input(shape)
    for number in range(halvings):
        activation = "relu" if number < halvings - 1 else None
        channels = width if number == 0 else 2 * width
        x = Conv2D(channels, 4, strides=2, padding="same", activation=activation)(x)
    x = _residual_stack(x, width, residual_blocks)
    return keras.Model(image, Conv2D(outputs, 1, dtype="float32")(x), name="encoder")


def build_decoder(
    shape: tuple[int, int, int], width: int, halvings: int, residual_blocks: int, inputs: int
) -> Any:
    """Build the way back; arguments as for ``build_encoder``."""
    height, breadth, channels = shape
    apart = 2**halvings
    x = grid = keras.Input((height // apart, breadth // apart, inputs))
    first = 2 * width if halvings > 1 else width
    x = Conv2D(first, 3, padding="same")(x)
    x = _residual_stack(x, width, residual_blocks)
    for number in range(halvings - 1):
        between = width if number == halvings - 2 else 2 * width
        x = Conv2DTranspose(between, 4, strides=2, padding="same", activation="relu")(x)
    x = Conv2DTranspose(channels, 4, strides=2, padding="same", dtype="float32")(x)
    return keras.Model(grid, x, name="decoder")


def _residual_stack(x: Any, width: int, blocks: int) -> Any:
    """Add residual blocks, ReLU, 3x3, ReLU, 1x1, then a ReLU (van den Oord et al. 2017, 4.1)."""
    channels = x.shape[-1]
    for _ in range(blocks):
        inside = Conv2D(width, 3, padding="same", activation="relu")(layers.ReLU()(x))
        x = layers.Add()([x, Conv2D(channels, 1)(inside)])
    return layers.ReLU()(x)
