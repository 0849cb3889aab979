"""What StyleGAN2's networks are made of (Karras et al. 2020, sections 2 to 4)."""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import initializers, ops

from genkit.engine import workers
from genkit.errors import UsageError
from genkit.layers import conv2d, conv2d_transpose, resample

_GAIN = math.sqrt(2.0)  # what LeakyReLU takes from the variance, given back
_TINY = 1e-8
_GROUP = 4  # items whose deviation the discriminator sees together


def leaky(x: Any) -> Any:
    """Return LeakyReLU with slope 0.2, times the square root of 2."""
    return ops.leaky_relu(x, 0.2) * _GAIN


def normalised(z: Any) -> Any:
    """Return vectors of a root mean square of 1, of shape ``(batch, features)``."""
    return z * ops.rsqrt(ops.mean(ops.square(z), axis=1, keepdims=True) + _TINY)


class EqualizedDense(keras.layers.Layer):
    """A dense layer whose weights all learn at the same rate (Karras et al. 2018, section 4.1).

    They are kept with variance 1 and scaled when they are used.

    Args:
        units: length of the output.
        rate: what the layer's learning rate is multiplied by.
        bias: initial value of the biases.
        active: whether ``leaky`` follows.
    """

    def __init__(
        self,
        units: int,
        *,
        rate: float = 1.0,
        bias: float = 0.0,
        active: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units, self.rate, self.initial_bias, self.active = units, rate, bias, active

    def build(self, input_shape: Any) -> None:
        self.scale = self.rate / math.sqrt(input_shape[-1])
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=initializers.RandomNormal(stddev=1 / self.rate),
        )
        self.bias = self.add_weight(
            name="bias",
            shape=(self.units,),
            initializer=initializers.Constant(self.initial_bias / self.rate),
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)

    def call(self, x: Any) -> Any:
        """Return ``(batch, units)`` for ``(batch, features)``."""
        y = ops.matmul(x, self.kernel * self.scale) + self.bias * self.rate
        return leaky(y) if self.active else y


class EqualizedConv2D(keras.layers.Layer):
    """A convolution whose weights all learn at the same rate; it halves the size if asked to.

    Args:
        filters: channels of the output.
        size: side of the kernel.
        halved: whether the input is smoothed and every second row and column taken.
        active: whether ``leaky`` follows, and biases are added before it.
    """

    def __init__(
        self, filters: int, size: int, *, halved: bool = False, active: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.size, self.halved, self.active = filters, size, halved, active

    def build(self, input_shape: Any) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, self.size, input_shape[-1], self.filters),
            initializer=initializers.RandomNormal(stddev=1.0),
        )
        self.scale = 1 / math.sqrt(self.size**2 * input_shape[-1])
        if self.active:
            self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")

    def compute_output_shape(self, input_shape: Any) -> Any:
        by = 2 if self.halved else 1
        return (input_shape[0], input_shape[1] // by, input_shape[2] // by, self.filters)

    def call(self, x: Any) -> Any:
        """Return ``(batch, height, width, filters)``, of half the height and width if halved."""
        kernel = self.kernel * self.scale
        if self.halved and self.size == 1:  # the order doesn't matter: fewer pixels first
            x = conv2d(resample(x, down=2), kernel)
        elif self.halved:
            x = conv2d(resample(x, padding=(2, 2)), kernel, strides=2, padding="valid")
        else:
            x = conv2d(x, kernel)
        return leaky(x + self.bias) if self.active else x


class ModulatedConv2D(keras.layers.Layer):
    """A convolution whose input channels are weighed by a style (Karras et al. 2020, section 2.2).

    Scaling kernels by the style is scaling the channels they read; that the outputs have their
    variance again, if ``demodulated``, is scaling the channels they write. So one kernel serves the
    whole batch.

    Args:
        filters: channels of the output.
        size: side of the kernel.
        doubled: whether height and width are doubled.
        demodulated: whether the style's effect on the variance is taken out again.
    """

    def __init__(
        self,
        filters: int,
        size: int = 3,
        *,
        doubled: bool = False,
        demodulated: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.size = filters, size
        self.doubled, self.demodulated = doubled, demodulated
        self.style = EqualizedDense(0, bias=1.0, name="style", dtype=self.dtype_policy)

    def build(self, input_shape: Any, style_shape: Any) -> None:
        channels = input_shape[-1]
        self.style.units = channels
        self.style.build(style_shape)
        ends = (self.filters, channels) if self.doubled else (channels, self.filters)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.size, self.size, *ends),
            initializer=initializers.RandomNormal(stddev=1.0),
        )
        self.scale = 1 / math.sqrt(self.size**2 * channels)

    def compute_output_shape(self, input_shape: Any, style_shape: Any) -> Any:  # noqa: ARG002
        by = 2 if self.doubled else 1
        return (input_shape[0], input_shape[1] * by, input_shape[2] * by, self.filters)

    def call(self, x: Any, w: Any) -> Any:
        """Return ``(batch, height, width, filters)`` for a picture and ``(batch, w_dim)``."""
        kernel, style = self.kernel * self.scale, self.style(w)
        y = x * style[:, None, None, :]
        if self.doubled:
            y = conv2d_transpose(y, kernel, strides=2, padding="valid")
            y = resample(y, padding=(1, 1), gain=4.0)
        else:
            y = conv2d(y, kernel)
        if not self.demodulated:
            return y
        squares = ops.sum(ops.square(ops.cast(kernel, "float32")), axis=(0, 1))
        if self.doubled:
            squares = ops.transpose(squares)
        power = ops.matmul(ops.square(ops.cast(style, "float32")), squares)
        return y * ops.cast(ops.rsqrt(power + _TINY), y.dtype)[:, None, None, :]


class StyledConv2D(keras.layers.Layer):
    """A modulated convolution, noise if there is any, biases and ``leaky``.

    Args:
        filters: channels of the output.
        doubled: whether height and width are doubled.
        noisy: whether it takes noise, a number a pixel, times a learned strength.
    """

    def __init__(
        self, filters: int, *, doubled: bool = False, noisy: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters, self.noisy = filters, noisy
        self.convolution = ModulatedConv2D(
            filters, doubled=doubled, name="convolution", dtype=self.dtype_policy
        )

    def build(self, input_shape: Any, style_shape: Any) -> None:
        self.convolution.build(input_shape, style_shape)
        self.bias = self.add_weight(name="bias", shape=(self.filters,), initializer="zeros")
        if self.noisy:
            self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")

    def compute_output_shape(self, input_shape: Any, style_shape: Any) -> Any:
        return self.convolution.compute_output_shape(input_shape, style_shape)

    def call(self, x: Any, w: Any, noise: Any = None) -> Any:
        """Return a picture; ``noise`` is of shape ``(batch, height, width, 1)`` of the output."""
        y = self.convolution(x, w)
        if self.noisy:
            y = y + noise * self.strength
        return leaky(y + self.bias)


class BatchDeviation(keras.layers.Layer):
    """One more channel: how much items that stand together differ (Karras et al. 2018, section 3).

    Neighbours form groups of 4, or of 2 in a batch that isn't a multiple of 4, so that workers of
    several see the groups of one process.
    """

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], input_shape[-1] + 1)

    def call(self, x: Any) -> Any:
        """Return ``(batch, height, width, channels + 1)``."""
        batch, height, width, channels = x.shape
        group = math.gcd(batch, _GROUP) if isinstance(batch, int) else _GROUP
        if group < _GROUP and workers().size > 1:
            raise UsageError(
                f"Expected a batch a worker that is a multiple of {_GROUP}; received {batch}."
            )
        wide = ops.cast(x, "float32")
        groups = ops.reshape(wide, (-1, group, height, width, channels))
        apart = groups - ops.mean(groups, axis=1, keepdims=True)
        deviation = ops.sqrt(ops.mean(ops.square(apart), axis=1) + _TINY)
        told = ops.mean(deviation, axis=(1, 2, 3), keepdims=True)
        told = ops.repeat(ops.cast(told, x.dtype), group, axis=0)
        return ops.concatenate([x, ops.broadcast_to(told, (*ops.shape(x)[:3], 1))], axis=-1)
