"""A small U-Net that sees a noisy image, a time, and perhaps a label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from genkit.layers import Conv2D

if TYPE_CHECKING:
    from genkit.builtin.models.flow_configs import DenoiserConfig

_GROUPS = 8
_FREQUENCIES = 32
_FASTEST = 1000.0  # radians a unit of time, as for a thousand steps


def build_unet(shape: tuple[int, int, int], config: DenoiserConfig, classes: int) -> Any:
    """Build the network, after Ho et al. 2020, appendix B, at two sizes and without attention.

    Args:
        shape: ``(height, width, channels)``; height and width multiples of ``2 * patch``.
        config: width, blocks and patch.
        classes: how many labels there are; 0 for none. Label number ``classes`` means no label.

    Returns:
        a network of images ``(batch, *shape)``, times ``(batch,)`` in [0, 1] and, with classes,
        labels ``(batch,)`` int32, to a float32 tensor of the images' shape, at first all zeros.
    """
    image, time = keras.Input(shape), keras.Input(())
    inputs, w = [image, time], config.width
    embedding = layers.Dense(4 * w, activation="silu")(_TimeFeatures(dtype="float32")(time))
    if classes:
        label = keras.Input((), dtype="int32")
        inputs.append(label)
        embedding = layers.Add()([embedding, layers.Embedding(classes + 1, 4 * w)(label)])
    embedding = layers.Dense(4 * w, activation="silu")(embedding)

    p = config.patch
    x = Conv2D(w, p, strides=p, padding="valid")(image) if p > 1 else _convolution(w)(image)
    kept = [x]
    for _ in range(config.blocks):
        x = _block(x, embedding, w)
        kept.append(x)
    x = Conv2D(2 * w, 3, strides=2, padding="same")(x)
    for _ in range(config.blocks + 1):
        x = _block(x, embedding, 2 * w)
    x = _convolution(w)(layers.UpSampling2D(2)(x))
    for skipped in reversed(kept):
        x = _block(layers.Concatenate()([x, skipped]), embedding, w)
    x = _normalised(x)
    outputs = _unpatched(x, shape[-1], p)
    return keras.Model(inputs, outputs, name="unet")


class _TimeFeatures(layers.Layer):
    """Sines and cosines of the time (Vaswani et al. 2017, section 3.5): ``(batch, 64)``."""

    def call(self, time: Any) -> Any:
        exponents = np.arange(_FREQUENCIES, dtype=np.float32) / (_FREQUENCIES - 1)
        angles = time[:, None] * ops.convert_to_tensor(_FASTEST**exponents)[None]
        return ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1)


def _block(x: Any, embedding: Any, channels: int) -> Any:
    """Add to ``x`` what two convolutions make of it and of what the network is told."""
    inside = _convolution(channels)(_normalised(x))
    shift = layers.Reshape((1, 1, channels))(layers.Dense(channels)(embedding))
    inside = _normalised(layers.Add()([inside, shift]))
    inside = _convolution(channels, kernel_initializer="zeros")(inside)
    if x.shape[-1] != channels:
        x = Conv2D(channels, 1)(x)
    return layers.Add()([x, inside])


def _normalised(x: Any) -> Any:
    return layers.Activation("silu")(layers.GroupNormalization(_GROUPS)(x))


def _convolution(channels: int, **arguments: Any) -> Any:
    return Conv2D(channels, 3, padding="same", **arguments)


def _unpatched(x: Any, channels: int, patch: int) -> Any:
    """Turn each place's channels into its pixels again."""
    height, width = x.shape[1:3]
    x = Conv2D(channels * patch**2, 3, padding="same", kernel_initializer="zeros", dtype="float32")(
        x
    )
    if patch == 1:
        return x
    x = layers.Reshape((height, width, patch, patch * channels), dtype="float32")(x)
    x = layers.Permute((1, 3, 2, 4), dtype="float32")(x)
    return layers.Reshape((height * patch, width * patch, channels), dtype="float32")(x)
