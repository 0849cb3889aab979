"""The network of ``text-flow``: which way a latent goes, at a time, by a caption."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import layers, ops

from genkit_text2image.configs import TextFlowConfig
from genkit_text2image.word_network import WordNetwork

_RADIANS = np.array([1, 3, 9, 27], np.float32)  # a unit of time; velocities are smooth in it


class Velocity(layers.Layer):
    """Residual blocks of dense layers that see the time and the caption.

    Args:
        config: of the model.
        words: how many there are.
        longest: words of a caption.
    """

    def __init__(self, config: TextFlowConfig, words: int, longest: int) -> None:
        super().__init__()
        self.words = WordNetwork(words, config.word_dimension, config.width, 0.0)
        self.time, self.enter = layers.Dense(config.width), layers.Dense(config.width)
        self.blocks = [Block(config.width) for _ in range(config.blocks)]
        self.normalization = layers.LayerNormalization()
        self.leave = layers.Dense(config.latent_dim, kernel_initializer="zeros", dtype="float32")
        nothing = ops.zeros((1, longest), "int32")
        self(ops.zeros((1, config.latent_dim)), ops.zeros((1,)), nothing)  # builds it

    def call(self, place: Any, time: Any, caption: Any) -> Any:
        """Return velocities, float32 ``(batch, latent_dim)``.

        Args:
            place: on the way from noise to latents, ``(batch, latent_dim)``.
            time: in [0, 1], ``(batch,)``.
            caption: int32 ``(batch, longest)``.
        """
        angles = time[:, None] * ops.convert_to_tensor(_RADIANS)[None]
        known = self.time(ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1))
        known = ops.silu(known + self.words(caption))
        x = self.enter(place)
        for block in self.blocks:
            x = block(x, known)
        return self.leave(self.normalization(x))


class Block(layers.Layer):
    """Add to ``x`` what two dense layers make of it and of what is known."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.normalization, self.known = layers.LayerNormalization(), layers.Dense(width)
        self.first = layers.Dense(2 * width, activation="silu")
        self.second = layers.Dense(width, kernel_initializer="zeros")

    def call(self, x: Any, known: Any) -> Any:
        return x + self.second(self.first(self.normalization(x) + self.known(known)))
