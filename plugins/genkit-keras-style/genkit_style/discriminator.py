"""The critic of pictures (Karras et al. 2020, figure 7, a residual network)."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from genkit_style.layers import BatchDeviation, EqualizedConv2D, EqualizedDense
from genkit_style.mapping import Mapping
from genkit_style.sizes import LEAST, channels_at, resolutions

_SHARE = math.sqrt(0.5)  # of each of two ways that are added, so that the variance stays


class Discriminator(keras.layers.Layer):
    """Residual blocks that halve a picture to 4x4, then dense layers to one score.

    With classes the score is a product of the last features with a vector of the class (Miyato and
    Koyama 2018, through a mapping as in Karras et al. 2020, "Training Generative Adversarial
    Networks with Limited Data").

    Args:
        side: of the picture, a power of two.
        channels: of the picture.
        base: channels times side of the layers.
        most: channels at most.
        classes: how many there are; 0 for none.
        depth: layers of the class' mapping.
        frozen: how many of the blocks next to the picture don't learn (Mo et al. 2020, "Freeze the
            Discriminator").
    """

    def __init__(  # noqa: PLR0917
        self,
        side: int,
        channels: int,
        base: int,
        most: int,
        classes: int = 0,
        depth: int = 2,
        frozen: int = 0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        sides = [number for number in reversed(resolutions(side)) if number > LEAST]
        last = channels_at(LEAST, base, most)
        first = channels_at(side, base, most)
        self.reading = EqualizedConv2D(first, 1, name="reading")
        self.reading.build((None, side, side, channels))
        self.blocks: list[Any] = []
        for number in sides:
            here, next_ = (channels_at(each, base, most) for each in (number, number // 2))
            block = Halving(here, next_, name=f"block_{number}")
            block.build((None, number, number, here))
            self.blocks.append(block)
        self.deviation = BatchDeviation(name="deviation")
        self.judging = EqualizedConv2D(last, 3, name="judging")
        self.judging.build((None, LEAST, LEAST, last + 1))
        self.hidden = EqualizedDense(last, active=True, name="hidden")
        self.hidden.build((None, LEAST * LEAST * last))
        self.score = EqualizedDense(last if classes else 1, name="score")
        self.score.build((None, last))
        self.mapping = Mapping(0, last, depth, classes, name="mapping") if classes else None
        for layer in [self.reading, *self.blocks][: frozen + 1 if frozen else 0]:
            layer.trainable = False
        self.built = True

    def features(self, picture: Any) -> list[Any]:
        """Return what each block makes of pictures, from the largest to 4x4."""
        x, found = self.reading(ops.cast(picture, self.compute_dtype)), []
        for block in self.blocks:
            x = block(x)
            found.append(x)
        return found

    def call(self, picture: Any, label: Any = None) -> Any:
        """Return scores, float32 ``(batch, 1)``, for pictures in [-1, 1]."""
        x = self.features(picture)[-1]
        x = self.judging(self.deviation(x))
        x = self.hidden(ops.reshape(x, (-1, math.prod(x.shape[1:]))))
        score = ops.cast(self.score(x), "float32")
        if self.mapping is None:
            return score
        wanted = ops.cast(self.mapping(label=label), "float32")
        return ops.sum(score * wanted, axis=1, keepdims=True) / math.sqrt(wanted.shape[1])


class Halving(keras.layers.Layer):
    """Two convolutions that halve a picture, and a shortcut past them.

    Args:
        here: channels of the first convolution.
        filters: channels of the output.
    """

    def __init__(self, here: int, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        dtype = self.dtype_policy
        self.first = EqualizedConv2D(here, 3, name="first", dtype=dtype)
        self.second = EqualizedConv2D(filters, 3, halved=True, name="second", dtype=dtype)
        self.shortcut = EqualizedConv2D(
            filters, 1, halved=True, active=False, name="shortcut", dtype=dtype
        )

    def build(self, input_shape: Any) -> None:
        self.first.build(input_shape)
        self.second.build((*input_shape[:3], self.first.filters))
        self.shortcut.build(input_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        batch, height, width, _ = input_shape
        return (batch, height // 2, width // 2, self.filters)

    def call(self, x: Any) -> Any:
        """Return ``(batch, height / 2, width / 2, filters)``."""
        return (self.second(self.first(x)) + self.shortcut(x)) * _SHARE
