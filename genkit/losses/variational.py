"""The terms of the evidence lower bound, in nats per item."""

from __future__ import annotations

import math
from typing import Any

from keras import ops


def bernoulli_nll(x: Any, logits: Any) -> Any:
    """Return ``-log p(x)`` under independent Bernoulli variables, summed over all but the batch.

    Args:
        x: values in [0, 1], shape ``(batch, ...)``.
        logits: same shape.

    Returns:
        shape ``(batch,)``.
    """
    x, logits = _float32(x, logits)
    return _sum_over_item(ops.softplus(logits) - x * logits)


def gaussian_nll(x: Any, mean: Any, scale: float) -> Any:
    """Return ``-log p(x)`` under independent normal variables, summed over all but the batch.

    Args:
        x: shape ``(batch, ...)``.
        mean: same shape.
        scale: standard deviation, the same for every value.

    Returns:
        shape ``(batch,)``.
    """
    x, mean = _float32(x, mean)
    constant = math.log(scale) + 0.5 * math.log(2 * math.pi)
    return _sum_over_item(0.5 * ops.square((x - mean) / scale) + constant)


def kl_to_standard_normal(mean: Any, log_variance: Any) -> Any:
    """Return the divergence of a diagonal normal from the standard normal.

    Kingma and Welling 2014, appendix B.

    Args:
        mean: shape ``(batch, latent_dim)``.
        log_variance: same shape.

    Returns:
        shape ``(batch,)``.
    """
    mean, log_variance = _float32(mean, log_variance)
    return 0.5 * _sum_over_item(ops.square(mean) + ops.exp(log_variance) - 1.0 - log_variance)


def _float32(*tensors: Any) -> list[Any]:
    return [ops.cast(x, "float32") for x in tensors]


def _sum_over_item(x: Any) -> Any:
    return ops.sum(x, axis=tuple(range(1, len(x.shape))))
