"""JAX: convolutions that XLA runs well on a CPU, and what helps it to see equal computations."""

from __future__ import annotations

from typing import Any

import jax
from jax import lax
from keras import ops

from genkit.kernels.geometry import Geometry
from genkit.kernels.jax_convolution import convolve_to_few, gather, spread


def _conv2d(  # noqa: PLR0917
    x: Any,
    w: Any,
    bias: Any,
    strides: tuple[int, int],
    padding: str,
    dilation: tuple[int, int],
) -> Any:
    """See ``genkit.kernels.best``."""
    rows, columns, channels, filters = w.shape
    dense = x.shape[-1] == channels and max(dilation) == 1
    if dense and max(strides) > 1:
        y = gather(x, w, _geometry(x.shape[1:3], (rows, columns), strides, padding))
    elif dense and padding == "same" and 1 < rows * columns * filters <= channels:
        y = convolve_to_few(x, w)
    else:
        y = ops.conv(x, w, strides=strides, padding=padding, dilation_rate=dilation)
    return y if bias is None else y + bias


def _geometry(
    large: tuple[int, int], kernel: tuple[int, int], stride: tuple[int, int], padding: str
) -> Geometry:
    """Give the sizes of the transposed convolution whose adjoint a convolution is."""
    rows, columns = (
        -(-n // s) if padding == "same" else (n - k) // s + 1
        for n, k, s in zip(large, kernel, stride, strict=True)
    )
    return Geometry(kernel, stride, (rows, columns), large)


def batch_normalization(x: Any, scale: Any, offset: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """See ``genkit.kernels.best``.

    Keras' own form reshapes statistics on the way, after which XLA no longer recognises that two
    passes of a generator over the same noise, one of them differentiated, are the same.
    """
    axes = tuple(range(x.ndim - 1))
    wide = x.astype("float32")
    mean = wide.mean(axes)
    centred = wide - mean
    variance = (centred * centred).mean(axes)
    factor = scale * lax.rsqrt(variance + epsilon)
    y = wide * factor + (offset - mean * factor)
    return y.astype(x.dtype), mean, variance


if jax.default_backend() == "cpu":
    conv2d = _conv2d
    conv2d_transpose = spread
