"""TensorFlow: one fused kernel for batch normalisation, forward and backward."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def batch_normalization(x: Any, scale: Any, offset: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """See ``kernels.fastest``; ``x`` has the shape ``(batch, height, width, channels)``."""
    if x.shape.rank != 4:  # noqa: PLR2004
        flat = tf.reshape(x, (-1, 1, 1, x.shape[-1]))
        y, mean, variance = batch_normalization(flat, scale, offset, epsilon)
        return tf.reshape(y, tf.shape(x)), mean, variance
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale, offset=offset, mean=[], variance=[], epsilon=epsilon, is_training=True
    )
    # The kernel divides by one less than the number of values.
    count = tf.cast(tf.size(x) // x.shape[-1], tf.float32)
    return y, mean, variance * ((count - 1) / count)


def normalization(  # noqa: PLR0917
    x: Any, mean: Any, variance: Any, scale: Any, offset: Any, epsilon: float
) -> Any:
    """See ``genkit.engine.kernels.fastest``."""
    if x.shape.rank != 4:  # noqa: PLR2004
        flat = tf.reshape(x, (-1, 1, 1, x.shape[-1]))
        return tf.reshape(normalization(flat, mean, variance, scale, offset, epsilon), tf.shape(x))
    y, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=scale,
        offset=offset,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=False,
    )
    return y
