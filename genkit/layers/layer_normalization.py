"""Layer normalisation with a gradient that takes fewer passes."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from genkit.engine import kernels


@keras.saving.register_keras_serializable(package="genkit")
class LayerNormalization(keras.layers.LayerNormalization):
    """Layer normalization (Ba et al. 2016); a drop-in for the Keras layer of that name.

    The same arguments, weights and results. Over the last axis alone it uses the kernel that is
    fastest for the backend; other axes, and float64, take Keras' own path.

    Input shape:
        ``(batch, ..., channels)``.

    Output shape:
        that of the input.
    """

    def call(self, inputs: Any) -> Any:
        """Normalize ``inputs``."""
        kernel = kernels.fastest("layer_normalization")
        last = list(self.axis) in ([-1], [len(inputs.shape) - 1])
        if kernel is None or not last or self.compute_dtype == "float64":
            return super().call(inputs)
        gamma = ops.ones(inputs.shape[-1:]) if self.gamma is None else self.gamma
        beta = ops.zeros(inputs.shape[-1:]) if self.beta is None else self.beta
        affine = [ops.cast(each, "float32") for each in (gamma, beta)]
        return kernel(ops.cast(inputs, self.compute_dtype), *affine, self.epsilon)
