"""Kernels that Keras' own operations leave out or spell slowly, one module a framework.

A layer asks ``best`` for one by name and falls back to Keras where there is none. Each kernel
states what it computes in ``keras.ops``' terms, so that a layer's results don't depend on it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["best"]


def fastest(name: str) -> Callable[..., Any] | None:
    """Return the active backend's kernel of that name, or None where Keras' own form is the best.

    The kernels are:

    ``convolution(x, w, bias, strides, padding, dilation)``
        convolution, ``keras.ops.conv`` plus the bias, which may be None; ``padding`` is "same" or
        "valid".
    ``transposed_convolution(x, w, bias, geometry)``
        transposed convolution of ``x``, ``(batch, *small, channels)``, with a kernel ``w``,
        ``(*kernel, filters, channels)``, for the sizes of a ``geometry.Geometry``, plus the bias,
        which may be None.
    ``batch_normalization(x, scale, offset, epsilon)``
        ``(y, mean, variance)`` over all axes of ``x`` but the last: ``y`` of the dtype of ``x``,
        the statistics float32, the variance that of the batch itself (divided by its size).
    ``shared_batch_normalization(x, scale, offset, epsilon)``
        the same, inside a step of several workers: over the batch of all, in one exchange.
    ``normalization(x, mean, variance, scale, offset, epsilon)``
        ``y`` as above, for a given mean and variance.
    ``layer_normalization(x, scale, offset, epsilon)``
        ``x`` with mean 0 and variance 1 over the last axis, times ``scale`` plus ``offset``, of the
        dtype of ``x``; computed in float32.
    ``exact_gelu(x)``
        ``keras.ops.gelu(x, approximate=False)``.
    ``dropout(x, rate)``
        ``x / (1 - rate)`` with each value zero with probability ``rate``, to within 2**-16, drawn
        from the framework's own random generator.
    """
    module = import_module(f"genkit.engine.kernels.{keras.config.backend()}")
    kernel: Callable[..., Any] | None = getattr(module, name, None)
    return kernel
