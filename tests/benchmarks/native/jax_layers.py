"""The layers of the JAX baseline: functions of an input and a layer's arrays by name.

Two forms of strided and transposed convolutions. The plain one is what everyone writes, but XLA
has only a scalar loop on the CPU for the kernel gradient that JAX derives for
``lax.conv_transpose``. The sub-pixel one makes the four phases of the output with one dense
convolution, interleaves them (Shi et al. 2016, https://arxiv.org/abs/1609.07009), and has its
gradients written by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
from jax import lax
from jax import numpy as jnp

from tests.benchmarks.native.start import BATCH_NORM_EPSILON, BATCH_NORM_MOMENTUM, LEAKY_SLOPE

LAYOUT = ("NHWC", "HWIO", "NHWC")
Layer = dict[str, jax.Array]


@dataclass(frozen=True)
class Layers:
    """Layers with weights, at one precision.

    Args:
        dtype: what they compute in, unless told otherwise.
        sub_pixel: which form of strided and transposed convolution to use.
    """

    dtype: Any
    sub_pixel: bool

    def dense(self, x: jax.Array, layer: Layer, dtype: Any = None) -> jax.Array:
        dtype = dtype or self.dtype
        return _add_bias(x.astype(dtype) @ layer["kernel"].astype(dtype), layer)

    def conv(self, x: jax.Array, layer: Layer, dtype: Any = None) -> jax.Array:
        dtype = dtype or self.dtype
        x, kernel = x.astype(dtype), layer["kernel"].astype(dtype)
        y = lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=LAYOUT)
        return _add_bias(y, layer)

    def downsample(self, x: jax.Array, layer: Layer) -> jax.Array:
        """Convolution with stride 2."""
        form = _strided if self.sub_pixel else _strided_conv
        return _add_bias(form(x.astype(self.dtype), layer["kernel"].astype(self.dtype)), layer)

    def upsample(self, x: jax.Array, layer: Layer) -> jax.Array:
        """Transposed convolution with stride 2."""
        form = _sub_pixel if self.sub_pixel else _conv_transpose
        return _add_bias(form(x.astype(self.dtype), layer["kernel"].astype(self.dtype)), layer)


def batch_norm_and_leaky_relu(
    x: jax.Array, layer: Layer, statistics: Layer, *, training: bool
) -> tuple[jax.Array, Layer]:
    """Normalise over all but channels, in float32; training gives moved statistics as well."""
    mean, variance = statistics["moving_mean"], statistics["moving_variance"]
    if training:
        wide, axes = x.astype(jnp.float32), tuple(range(x.ndim - 1))
        mean = wide.mean(axes)
        variance = jnp.square(wide).mean(axes) - jnp.square(mean)
        new = {"moving_mean": mean, "moving_variance": variance}
        statistics = jax.tree.map(
            lambda old, new: old + (1 - BATCH_NORM_MOMENTUM) * (new - old), statistics, new
        )
    scale = layer["gamma"] * lax.rsqrt(variance + BATCH_NORM_EPSILON)
    y = x * scale + (layer["beta"] - mean * scale)
    return jax.nn.leaky_relu(y.astype(x.dtype), LEAKY_SLOPE), statistics


def _add_bias(x: jax.Array, layer: Layer) -> jax.Array:
    return x + layer["bias"].astype(x.dtype) if "bias" in layer else x


def _strided_conv(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return lax.conv_general_dilated(x, kernel, (2, 2), "SAME", dimension_numbers=LAYOUT)


def _conv_transpose(x: jax.Array, kernel: jax.Array) -> jax.Array:
    return lax.conv_transpose(
        x, kernel, (2, 2), "SAME", dimension_numbers=LAYOUT, transpose_kernel=True
    )


@jax.custom_vjp
def _strided(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolution with stride 2, differentiated by hand."""
    return _strided_conv(x, kernel)


@jax.custom_vjp
def _sub_pixel(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Transposed convolution with stride 2, the adjoint of ``_strided``.

    Output row ``2m + p`` is the sum over two taps t of ``x[m - t] * kernel[2t + p]``.
    """
    (batch, height, width, channels), (size, _, filters, _) = x.shape, kernel.shape
    crop = (size - 2) // 2  # rows that "same" leaves out before the first
    kernel = jnp.pad(kernel, ((0, 4 - size), (0, 4 - size), (0, 0), (0, 0)))
    kernel = kernel.reshape(2, 2, 2, 2, filters, channels)[::-1, :, ::-1]  # (t, p, u, q, ...)
    kernel = kernel.transpose(0, 2, 5, 1, 3, 4).reshape(2, 2, channels, 4 * filters)
    y = lax.conv_general_dilated(
        x, kernel, (1, 1), ((1, crop), (1, crop)), dimension_numbers=LAYOUT
    )
    y = y.reshape(batch, height + crop, width + crop, 2, 2, filters).transpose(0, 1, 3, 2, 4, 5)
    y = y.reshape(batch, 2 * (height + crop), 2 * (width + crop), filters)
    return y[:, crop : crop + 2 * height, crop : crop + 2 * width]


def _kernel_gradient(large: jax.Array, small: jax.Array, kernel: jax.Array) -> jax.Array:
    """Return the kernel gradient that ``_strided`` and ``_sub_pixel`` share.

    Written as that of the strided convolution, it dilates no input: fast in XLA.
    """
    return jax.linear_transpose(partial(_strided_conv, large), kernel)(small)[0]


# Each is the other's gradient for the input, so second derivatives are as fast.
_strided.defvjp(
    lambda x, kernel: (_strided(x, kernel), (x, kernel)),
    lambda kept, g: (_sub_pixel(g, kept[1]), _kernel_gradient(kept[0], g, kept[1])),
)
_sub_pixel.defvjp(
    lambda x, kernel: (_sub_pixel(x, kernel), (x, kernel)),
    lambda kept, g: (_strided(g, kept[1]), _kernel_gradient(g, kept[0], kept[1])),
)
