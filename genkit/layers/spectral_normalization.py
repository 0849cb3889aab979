"""`SpectralNormalization`: a linear layer whose largest stretch is one."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

_TINY = 1e-12


@keras.saving.register_keras_serializable(package="genkit")
class SpectralNormalization(keras.layers.Wrapper):
    """Divides a layer's kernel by its largest singular value.

    With the kernel as a matrix `W` of shape `(inputs, outputs)`,

        y = layer(x) with W / sigma(W),    sigma(W) = max |W u| / |u|

    `sigma` is estimated by one step of power iteration at each call in training, from a vector that
    is kept between calls; its gradient takes the two singular vectors as constants. Unlike Keras'
    layer of this name the kernel itself stays as the optimizer left it, so it trains on every
    backend, also under a gradient penalty.

    Args:
        layer: a `Dense` or a convolution without activation.

    Input shape:
        that of the layer.

    Output shape:
        that of the layer.

    Reference:
        Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks",
        https://arxiv.org/abs/1802.05957, algorithm 1
    """

    def __init__(self, layer: Any, **arguments: Any) -> None:
        super().__init__(layer, **arguments)
        if layer.activation is not keras.activations.linear:
            raise ValueError(f"Expected a layer without activation; received {layer.activation}.")

    def build(self, input_shape: Any = None) -> None:
        """Create the layer's weights and the vector of the power iteration."""
        super().build(input_shape)
        self.u = self.add_weight(
            name="u",
            shape=(self.layer.kernel.shape[-1],),
            initializer=keras.initializers.RandomNormal(seed=0),
            trainable=False,
            dtype="float32",
        )

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Apply the layer with its kernel divided by the estimate of `sigma`."""
        outputs = self.layer(inputs)
        scale = ops.cast(1.0 / self._sigma(training), outputs.dtype)
        if not self.layer.use_bias:
            return outputs * scale
        bias = ops.cast(self.layer.bias, outputs.dtype)
        return (outputs - bias) * scale + bias

    def _sigma(self, training: bool) -> Any:
        kernel = ops.convert_to_tensor(self.layer.kernel, dtype="float32")
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        fixed, u = ops.stop_gradient(matrix), ops.convert_to_tensor(self.u)
        v = _unit(ops.matmul(fixed, u))
        if training:
            u = _unit(ops.matmul(v, fixed))
            self.u.assign(u)
        else:
            u = _unit(u)
        return ops.sum(ops.matmul(v, matrix) * u)


def _unit(vector: Any) -> Any:
    return vector / (ops.sqrt(ops.sum(ops.square(vector))) + _TINY)
