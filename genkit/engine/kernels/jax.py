"""JAX: convolutions that XLA runs well on a CPU, and what helps it to see equal computations."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import jax
from jax import lax
from jax import numpy as jnp
from keras import ops

from genkit.engine.collective import workers
from genkit.engine.kernels.geometry import Geometry
from genkit.engine.kernels.jax_convolution import convolve_to_few, gather, spread


def _convolution(  # noqa: PLR0917
    x: Any,
    w: Any,
    bias: Any,
    strides: tuple[int, int],
    padding: str,
    dilation: tuple[int, int],
) -> Any:
    """See ``genkit.engine.kernels.fastest``."""
    rows, columns, channels, filters = w.shape
    dense = x.shape[-1] == channels and max(dilation) == 1
    if dense and max(strides) > 1:
        y = gather(x, w, _geometry(x.shape[1:3], (rows, columns), strides, padding))
    elif dense and padding == "same" and 1 < rows * columns * filters <= channels:
        y = convolve_to_few(x, w)
    else:
        y = ops.conv(x, w, strides=strides, padding=padding, dilation_rate=dilation)
    return _add_bias(y, bias)


def _transposed_convolution(x: Any, w: Any, bias: Any, geometry: Geometry) -> Any:
    """See ``genkit.engine.kernels.fastest``."""
    return _add_bias(spread(x, w, geometry), bias)


def _add_bias(y: Any, bias: Any) -> Any:
    return y if bias is None else y + per_channel(bias.astype(y.dtype), y.shape)


def _geometry(
    large: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: str
) -> Geometry:
    """Return the sizes of the transposed convolution whose adjoint a convolution is."""
    rows, columns = (
        -(-n // s) if padding == "same" else (n - k) // s + 1
        for n, k, s in zip(large, kernel, stride, strict=True)
    )
    return Geometry(kernel, stride, (rows, columns), large)


def batch_normalization(x: Any, scale: Any, offset: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """See ``genkit.engine.kernels.fastest``.

    Keras' own form reshapes statistics on the way, after which XLA no longer recognises that two
    passes of a generator over the same noise, one of them differentiated, are the same.
    """
    count = x.size // x.shape[-1]
    wide = x.astype("float32")
    mean = channel_sum(wide) / count
    centred = wide - per_channel(mean, wide.shape)
    variance = channel_sum(centred * centred) / count
    factor = scale * lax.rsqrt(variance + epsilon)
    y = wide * per_channel(factor, wide.shape) + per_channel(offset - mean * factor, wide.shape)
    return y.astype(x.dtype), mean, variance


def shared_batch_normalization(
    x: Any, scale: Any, offset: Any, epsilon: float
) -> tuple[Any, Any, Any]:
    """See ``genkit.engine.kernels.fastest``.

    Of statistics of the whole batch the compiler would sum the mean first, and then the variance.
    """
    across = workers()
    wide = x.astype("float32")
    count = x.size // x.shape[-1] // across.size
    means = _part_sums(wide, across.size) / count
    centred = wide - _per_part(means, wide.shape)
    variances = _part_sums(centred * centred, across.size) / count
    # A sum over workers, each of which has its own row alone, gives all of them each part's.
    whose = jnp.eye(across.size, dtype=bool)[:, :, None, None]
    found = jnp.where(whose, jnp.stack([means, variances], axis=1), 0.0).sum(axis=1)
    means, variances = found[:, 0], found[:, 1]
    mean = means.mean(axis=0)
    apart = means - mean
    variance = (variances + apart * apart).mean(axis=0)
    factor = scale * lax.rsqrt(variance + epsilon)
    y = wide * per_channel(factor, wide.shape) + per_channel(offset - mean * factor, wide.shape)
    return y.astype(x.dtype), mean, variance


@jax.custom_vjp
def exact_gelu(x: Any) -> Any:
    """See ``genkit.engine.kernels.fastest``; its gradient takes the error function as it is."""
    return _gelu_forward(x)[0]


def _gelu_forward(x: Any) -> tuple[Any, tuple[Any, Any]]:
    below = 0.5 * (1 + lax.erf(x * math.sqrt(0.5)))  # chance of a normal number below x
    return x * below, (x, below)


def _gelu_backward(kept: tuple[Any, Any], gradient: Any) -> tuple[Any]:
    x, below = kept
    return (gradient * (below + x * jnp.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)),)


exact_gelu.defvjp(_gelu_forward, _gelu_backward)


def layer_normalization(x: Any, scale: Any, offset: Any, epsilon: float) -> Any:
    """See ``genkit.engine.kernels.fastest``."""
    wide = x.astype("float32")
    return (_standardized(wide, epsilon) * scale + offset).astype(x.dtype)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _standardized(x: Any, epsilon: float) -> Any:
    return _standardized_forward(x, epsilon)[0]


def _standardized_forward(x: Any, epsilon: float) -> tuple[Any, tuple[Any, Any]]:
    centred = x - x.mean(axis=-1, keepdims=True)
    inverse = lax.rsqrt((centred * centred).mean(axis=-1, keepdims=True) + epsilon)
    y = centred * inverse
    return y, (y, inverse)


def _standardized_backward(_: float, kept: tuple[Any, Any], gradient: Any) -> tuple[Any]:
    y, inverse = kept
    along = (gradient * y).mean(axis=-1, keepdims=True)
    return (inverse * (gradient - gradient.mean(axis=-1, keepdims=True) - y * along),)


_standardized.defvjp(_standardized_forward, _standardized_backward)


@jax.custom_vjp
def channel_sum(x: Any) -> Any:
    """Sum over all axes but the last, as products with ones: XLA runs that faster on a CPU.

    One product for each item of the batch: rounding grows with the length of a sum.
    """
    return _item_sums(x).sum(axis=0).astype(x.dtype)


def _item_sums(x: Any) -> Any:
    """Sum each item of the batch over all axes but the last."""
    items = x.reshape(x.shape[0], -1, x.shape[-1])
    ones = jnp.ones(items.shape[:2], x.dtype)
    # Full precision: an accelerator's default would round what is summed.
    return jnp.einsum(
        "nk,nkc->nc",
        ones,
        items,
        precision=lax.Precision.HIGHEST,
        preferred_element_type=jnp.float32,
    )


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def per_channel(values: Any, shape: tuple[int, ...]) -> Any:
    """Repeat a value a channel over a shape; its gradient is a ``channel_sum``."""
    return jnp.broadcast_to(values, shape)


channel_sum.defvjp(
    lambda x: (channel_sum(x), jnp.zeros((0, *x.shape))),
    lambda empty, g: (per_channel(g, empty.shape[1:]),),
)
per_channel.defvjp(
    lambda values, shape: (per_channel(values, shape), None),
    lambda _shape, _, g: (channel_sum(g),),
)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _part_sums(x: Any, parts: int) -> Any:
    """Return a ``channel_sum`` of each part of a batch, of shape ``(parts, channels)``."""
    return _item_sums(x).reshape(parts, -1, x.shape[-1]).sum(axis=1)


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def _per_part(values: Any, shape: tuple[int, ...]) -> Any:
    """Repeat values of shape ``(parts, channels)`` over their part of a batch of a shape."""
    parts, channels = values.shape
    items = values.reshape(parts, *(1,) * (len(shape) - 1), channels)
    return jnp.broadcast_to(items, (parts, shape[0] // parts, *shape[1:])).reshape(shape)


_part_sums.defvjp(
    lambda x, parts: (_part_sums(x, parts), jnp.zeros((0, *x.shape))),
    lambda _parts, empty, g: (_per_part(g, empty.shape[1:]),),
)
_per_part.defvjp(
    lambda values, shape: (_per_part(values, shape), jnp.zeros((0, *values.shape))),
    lambda _shape, empty, g: (_part_sums(g, empty.shape[1]),),
)


if jax.default_backend() == "cpu":
    convolution = _convolution
    transposed_convolution = _transposed_convolution
