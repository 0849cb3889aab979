"""`Conv2D` in the form that each framework computes fastest."""

from typing import Any

import keras

from genkit.layers.convolution import conv2d


@keras.saving.register_keras_serializable(package="genkit")
class Conv2D(keras.layers.Conv2D):
    """Drop-in `keras.layers.Conv2D` that trains at the framework's own speed.

    Shapes, arguments, weights, their names and the config are those of the Keras layer, and the
    numbers agree with it to rounding, so weights move freely between the two. What differs is how
    it is computed. On PyTorch images stay in the layout that Keras and the kernel share: the stock
    layer copies them to another one and back before the same kernel. On JAX without an accelerator
    a convolution to few channels, such as an image's, is one matrix product and a sum of shifted
    planes, and one with a stride has derivatives of all orders that XLA runs well; JAX refuses
    forward mode (`jax.jvp`) there. On TensorFlow, and with `data_format="channels_first"`, Keras'
    own path is taken.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new_height, new_width, filters)`.
    """

    def call(self, inputs: Any) -> Any:
        """Apply the convolution, the bias and the activation to `inputs`."""
        if self.data_format == "channels_first":
            return super().call(inputs)
        y = conv2d(
            inputs,
            self.kernel,
            bias=self.bias if self.use_bias else None,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
        )
        return y if self.activation is None else self.activation(y)
