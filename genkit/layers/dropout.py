"""`Dropout` whose mask is drawn quickly on every framework."""

from typing import Any

import keras

from genkit.engine import kernels


@keras.saving.register_keras_serializable(package="genkit")
class Dropout(keras.layers.Dropout):
    """Drop-in `keras.layers.Dropout` that draws its mask quickly on PyTorch too.

    In training each value is zero with probability `rate` and otherwise divided by `1 - rate`; at
    other times the input is given as it is. Arguments and config are those of the Keras layer. What
    differs: on PyTorch on a CPU four values share one draw of the generator, and the probability is
    right to 2**-16. With a `seed` or a `noise_shape` it is Keras' own.

    Input shape:
        any.

    Output shape:
        that of the input.

    Reference:
        Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
        https://jmlr.org/papers/v15/srivastava14a.html
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop values of `inputs` while training."""
        kernel = kernels.fastest("dropout")
        plain = self.seed is None and self.noise_shape is None
        if kernel is None or not (plain and training and 0 < self.rate < 1):
            return super().call(inputs, training=training)
        return kernel(inputs, self.rate)
