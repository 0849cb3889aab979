"""The network from a caption to a vector."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from genkit.layers import Dropout
from genkit_text2image.words import NOTHING

_SEEN = 3  # words that a convolution sees at once


class WordNetwork(layers.Layer):
    """A caption's vector: the mean of its words, and of what each makes of its neighbours.

    Two convolutions tell a red circle and a blue square from a blue circle and a red square. A
    caption of nothing has a vector too.

    Args:
        words: how many there are.
        dimension: numbers of a word.
        outputs: numbers of a caption.
        dropout: share of channels left out before the last layer.
    """

    def __init__(self, words: int, dimension: int, outputs: int, dropout: float) -> None:
        super().__init__()
        self.table = layers.Embedding(words, dimension)
        self.beside, self.further = (
            layers.Conv1D(dimension, _SEEN, padding="same", activation="silu") for _ in range(2)
        )
        self.dropout = Dropout(dropout)
        self.last = layers.Dense(outputs, dtype="float32")

    def call(self, caption: Any, training: bool = False) -> Any:
        """Return vectors ``(batch, outputs)`` of captions, int32 ``(batch, longest)``."""
        words = self.table(caption)
        there = ops.cast(caption != NOTHING, words.dtype)[..., None]
        words = words * there
        beside = self.beside(words) * there
        both = ops.concatenate([words, beside, self.further(beside) * there], axis=-1)
        mean = ops.sum(both, axis=1) / ops.maximum(ops.sum(there, axis=1), 1.0)
        return self.last(self.dropout(mean, training=training))
