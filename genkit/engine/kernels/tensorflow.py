"""TensorFlow: one fused kernel for batch normalisation; gradients of fewer operations."""

from __future__ import annotations

import math
from typing import Any

import tensorflow as tf

from genkit.engine.collective import workers


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


def shared_batch_normalization(
    x: Any, scale: Any, offset: Any, epsilon: float
) -> tuple[Any, Any, Any]:
    """See ``genkit.engine.kernels.fastest``."""
    wide = tf.cast(x, tf.float32)
    own = tf.stack(tf.nn.moments(wide, list(range(x.shape.rank - 1))))
    means, variances = tf.unstack(workers().gather(own[None]), axis=1)
    mean = tf.reduce_mean(means, 0)
    variance = tf.reduce_mean(variances + tf.square(means - mean), 0)
    factor = scale * tf.math.rsqrt(variance + epsilon)
    return tf.cast(wide * factor + (offset - mean * factor), x.dtype), mean, variance


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


@tf.custom_gradient
def exact_gelu(x: Any) -> Any:
    """See ``genkit.engine.kernels.fastest``."""

    def backward(gradient: Any) -> Any:
        density = tf.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)
        return gradient * (_normal_below(x) + x * density)

    return x * _normal_below(x), backward


def _normal_below(x: Any) -> Any:
    """Return the chance that a normal number is below ``x``."""
    return 0.5 * (1 + tf.math.erf(x * math.sqrt(0.5)))


def layer_normalization(x: Any, scale: Any, offset: Any, epsilon: float) -> Any:
    """See ``genkit.engine.kernels.fastest``."""

    @tf.custom_gradient
    def standardized(wide: Any) -> Any:
        y, inverse = _standardized(wide, epsilon)

        def backward(gradient: Any) -> Any:
            along = tf.reduce_mean(gradient * y, -1, keepdims=True)
            return inverse * (gradient - tf.reduce_mean(gradient, -1, keepdims=True) - y * along)

        return y, backward

    return tf.cast(standardized(tf.cast(x, tf.float32)) * scale + offset, x.dtype)


def _standardized(x: Any, epsilon: float) -> tuple[Any, Any]:
    centred = x - tf.reduce_mean(x, -1, keepdims=True)
    inverse = tf.math.rsqrt(tf.reduce_mean(centred * centred, -1, keepdims=True) + epsilon)
    return centred * inverse, inverse
