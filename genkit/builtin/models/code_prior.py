"""A causal transformer over sequences of codes: how likely each is, given those before it."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

HEAD = 32
"""Channels of an attention head."""


class CodePrior(layers.Layer):
    """Tells how probable the next code is: ``p(codes) = prod_i p(code_i | code_1 ... code_(i-1))``.

    The decoder of Vaswani et al. 2017, "Attention Is All You Need", without encoder, with the
    normalisation before each part (Radford et al. 2019, "Language Models are Unsupervised
    Multitask Learners", section 2.3).

    Args:
        positions: length of a sequence.
        codebook_size: how many codes there are.
        width: channels, a multiple of 32.
        depth: number of blocks.
    """

    def __init__(self, positions: int, codebook_size: int, width: int, depth: int) -> None:
        super().__init__(name="prior")
        self.start = codebook_size  # a code of its own stands before the first
        self.tokens = layers.Embedding(codebook_size + 1, width)
        self.places = layers.Embedding(positions, width)
        self.blocks = [Block(width) for _ in range(depth)]
        self.normalization = layers.LayerNormalization(epsilon=1e-5)
        self.head = layers.Dense(codebook_size, dtype="float32")
        self(ops.zeros((1, positions), "int32"))  # builds it

    def call(self, codes: Any) -> Any:
        """Return logits for each code of a sequence from those before it.

        Args:
            codes: int32 ``(batch, positions)``.

        Returns:
            float32 ``(batch, positions, codebook_size)``.
        """
        before = ops.concatenate(
            [ops.full_like(codes[:, :1], self.start), codes[:, :-1]], axis=1
        )  # (batch, positions)
        x = self.tokens(before) + self.places(ops.arange(codes.shape[1], dtype="int32"))
        for block in self.blocks:
            x = block(x)  # (batch, positions, width)
        return self.head(self.normalization(x))


class Block(layers.Layer):
    """Attention to what came before, then a dense network at each place."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention_normalization = layers.LayerNormalization(epsilon=1e-5)
        self.attention = layers.MultiHeadAttention(width // HEAD, HEAD)
        self.dense_normalization = layers.LayerNormalization(epsilon=1e-5)
        self.dense = keras.Sequential([layers.Dense(4 * width, "gelu"), layers.Dense(width)])

    def call(self, x: Any) -> Any:
        h = self.attention_normalization(x)
        x = x + self.attention(h, h, use_causal_mask=True)
        return x + self.dense(self.dense_normalization(x))
