"""Penalties on the slope of a discriminator, which keep it from running away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import ops

from genkit.engine import gradient

_TINY = 1e-12  # keeps the slope of the norm finite where the norm is zero


def gradient_penalty(score: Callable[[Any], Any], real: Any, fake: Any, mix: Any) -> Any:
    """Return ``mean (||grad D(x)|| - 1)^2`` at points between real and generated items.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", equation 3, without its factor.

    Args:
        score: the discriminator, items to one score each.
        real: shape ``(batch, ...)``.
        fake: same shape.
        mix: uniform in [0, 1), shape ``(batch, 1, ...)``: how much of the real item is in each
            point.

    Returns:
        a scalar.
    """
    between = mix * real + (1.0 - mix) * fake
    norm = ops.sqrt(_squared_slope(score, between) + _TINY)
    return ops.mean(ops.square(norm - 1.0))


def zero_centred_penalty(score: Callable[[Any], Any], items: Any) -> Any:
    """Return ``mean ||grad D(x)||^2 / 2``: R1 at real items, R2 at generated ones.

    Mescheder et al. 2018, "Which Training Methods for GANs do actually Converge?", equation 9,
    without its factor.

    Args:
        score: the discriminator, items to one score each.
        items: shape ``(batch, ...)``.

    Returns:
        a scalar.
    """
    return 0.5 * ops.mean(_squared_slope(score, items))


def _squared_slope(score: Callable[[Any], Any], items: Any) -> Any:
    slope = ops.cast(gradient(score, items), "float32")
    return ops.sum(ops.square(slope), axis=tuple(range(1, len(slope.shape))))
