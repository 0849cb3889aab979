"""From styles to a picture (Karras et al. 2020, figure 7, output skips)."""

from __future__ import annotations

from typing import Any

import keras
from keras import initializers, ops

from genkit.layers import resample
from genkit_style.layers import ModulatedConv2D, StyledConv2D
from genkit_style.sizes import LEAST, channels_at, resolutions, style_count


class Synthesis(keras.layers.Layer):
    """A constant that styled convolutions double again and again, each size adding to the picture.

    Args:
        side: of the picture, a power of two.
        channels: of the picture.
        style: length of a style.
        base: channels times side of the layers.
        most: channels at most.
        noisy: whether it takes noise.
    """

    def __init__(  # noqa: PLR0917
        self,
        side: int,
        channels: int,
        style: int,
        base: int,
        most: int,
        noisy: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.side, self.styles, self.noisy = side, style_count(side), noisy
        first = channels_at(LEAST, base, most)
        self.constant = self.add_weight(
            name="constant",
            shape=(1, LEAST, LEAST, first),
            initializer=initializers.RandomNormal(stddev=1.0),
        )
        self.doubling: list[Any] = []
        self.same: list[Any] = []
        self.colours: list[Any] = []
        before = (None, LEAST, LEAST, first)
        for number in resolutions(side):
            here = channels_at(number, base, most)
            if number > LEAST:
                layer = StyledConv2D(here, doubled=True, noisy=noisy, name=f"doubling_{number}")
                before = _built(layer, before, style)
                self.doubling.append(layer)
            layer = StyledConv2D(here, noisy=noisy, name=f"same_{number}")
            before = _built(layer, before, style)
            self.same.append(layer)
            colour = Colours(channels, name=f"colours_{number}")
            _built(colour, before, style)
            self.colours.append(colour)
        self.built = True

    @property
    def style_layers(self) -> list[Any]:
        """The dense layers that read styles, each with the number of the style it reads."""
        found = [(self.same[0].convolution.style, 0), (self.colours[0].convolution.style, 1)]
        for number, (doubling, same, colours) in enumerate(
            zip(self.doubling, self.same[1:], self.colours[1:], strict=True)
        ):
            first = 2 * number + 1
            found += [
                (doubling.convolution.style, first),
                (same.convolution.style, first + 1),
                (colours.convolution.style, first + 2),
            ]
        return found

    def call(self, styles: Any, noise: Any = None) -> Any:
        """Return pictures in no fixed range, float32 ``(batch, side, side, channels)``.

        Args:
            styles: ``(batch, styles, style)``; each doubling takes two, the colours of a size the
                one after its own.
            noise: ``(batch, noise_count(side))``, for a network that takes any.
        """
        at = 0

        def noise_of(side: int) -> Any:
            nonlocal at
            if not self.noisy:
                return None
            part = noise[:, at : at + side * side]
            at += side * side
            return ops.reshape(part, (-1, side, side, 1))

        ones = ops.ones_like(styles[:, 0, :1])[:, :, None, None]
        x = ops.cast(self.constant, self.compute_dtype) * ops.cast(ones, self.compute_dtype)
        x = self.same[0](x, styles[:, 0], noise_of(LEAST))
        picture = self.colours[0](x, styles[:, 1])
        sides = resolutions(self.side)[1:]
        blocks = zip(sides, self.doubling, self.same[1:], self.colours[1:], strict=True)
        for number, (side, doubling, same, colours) in enumerate(blocks):
            first = 2 * number + 1
            x = doubling(x, styles[:, first], noise_of(side))
            x = same(x, styles[:, first + 1], noise_of(side))
            picture = resample(picture, up=2) + colours(x, styles[:, first + 2])
        return picture


class Colours(keras.layers.Layer):
    """What a size adds to the picture: a modulated convolution of one pixel, and biases.

    Args:
        channels: of the picture.
    """

    def __init__(self, channels: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.channels = channels
        self.convolution = ModulatedConv2D(
            channels, 1, demodulated=False, name="convolution", dtype=self.dtype_policy
        )

    def build(self, input_shape: Any, style_shape: Any) -> None:
        self.convolution.build(input_shape, style_shape)
        self.bias = self.add_weight(name="bias", shape=(self.channels,), initializer="zeros")

    def compute_output_shape(self, input_shape: Any, style_shape: Any) -> Any:  # noqa: ARG002
        return (*input_shape[:-1], self.channels)

    def call(self, x: Any, w: Any) -> Any:
        """Return what is added to the picture, float32."""
        return ops.cast(self.convolution(x, w) + self.bias, "float32")


def _built(layer: Any, shape: tuple[int | None, ...], style: int) -> Any:
    """Build a styled layer; return the shape of its output."""
    layer.build(shape, (None, style))
    layer.built = True
    return layer.compute_output_shape(shape, (None, style))
