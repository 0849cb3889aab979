"""`BatchNormalization` in one kernel where the framework has one."""

from typing import Any

import keras
from keras import ops

from genkit.engine import kernels, workers
from genkit.errors import UsageError


@keras.saving.register_keras_serializable(package="genkit")
class BatchNormalization(keras.layers.BatchNormalization):
    """Drop-in `keras.layers.BatchNormalization` that trains at the framework's own speed.

    With the mean and the variance of each channel over the batch and all positions,

        y = gamma * (x - mean) / sqrt(variance + epsilon) + beta

    Arguments, weights, their names and the config are those of the Keras layer, and the numbers
    agree with it to rounding, so weights move freely between the two. What differs is how it is
    computed. While training: on PyTorch and TensorFlow in one pass of their own kernel instead of a
    dozen operations, on JAX in a form that XLA recognises when it meets it twice, and that refuses
    forward mode (`jax.jvp`). With averages: on PyTorch in one pass instead of three. In mixed
    precision that pass reads and writes the short type; statistics, and what is computed from
    them, are float32 as in Keras. Where several workers train together, the statistics are those of
    the whole batch. Masks, renormalisation, synchronised statistics, float64 and an
    axis that isn't the last take Keras' own path.

    Input shape:
        `(batch, ..., channels)`.

    Output shape:
        that of the input.

    Reference:
        Ioffe and Szegedy 2015, "Batch Normalization", https://arxiv.org/abs/1502.03167
    """

    def add_weight(self, *args: Any, name: str | None = None, **settings: Any) -> Any:
        """Add a weight; workers that train together take the mean of the running statistics."""
        if name in ("moving_mean", "moving_variance"):
            settings["aggregation"] = "mean"
        return super().add_weight(*args, name=name, **settings)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise `inputs`: with their own statistics in training, with averages otherwise."""
        learns = training and self.trainable
        across = workers()
        own = "shared_batch_normalization" if across.size > 1 else "batch_normalization"
        kernel = kernels.fastest(own if learns else "normalization")
        plain = mask is None and not (self.renorm or self.synchronized)
        last = self.axis in (-1, len(inputs.shape) - 1)
        short = self.compute_dtype in ("float32", "bfloat16", "float16")
        if kernel is None or not (plain and last and short):
            if learns and across.apart:
                raise UsageError(
                    f"Workers can't put the statistics of {self.name} together: it has a mask, "
                    "renormalisation, float64, or an axis that isn't the last.",
                    "Train with one worker, or on JAX.",
                )
            return super().call(inputs, training=training, mask=mask)
        gamma = self.gamma if self.scale else ops.ones(self.moving_mean.shape)
        beta = self.beta if self.center else ops.zeros(self.moving_mean.shape)
        affine = ops.convert_to_tensor(gamma), ops.convert_to_tensor(beta)
        if not learns:
            averages = map(ops.convert_to_tensor, (self.moving_mean, self.moving_variance))
            return ops.cast(kernel(inputs, *averages, *affine, self.epsilon), self.compute_dtype)
        outputs, mean, variance = kernel(inputs, *affine, self.epsilon)
        for average, value in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept = ops.convert_to_tensor(average) * self.momentum
            average.assign(kept + ops.stop_gradient(value) * (1.0 - self.momentum))
        return ops.cast(outputs, self.compute_dtype)
