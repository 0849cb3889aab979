"""`Conv2DTranspose` in the form that each framework computes fastest."""

from typing import Any

import keras
from keras import ops

from genkit.layers.convolution import conv2d_transpose


@keras.saving.register_keras_serializable(package="genkit")
class Conv2DTranspose(keras.layers.Conv2DTranspose):
    """Drop-in `keras.layers.Conv2DTranspose` that trains at the framework's own speed.

    With stride `s`, kernel `w` and bias `b`, up to a crop that the padding decides:

        y[n, p, q, o] = b[o] + sum of w[a, b, o, c] * x[n, i, j, c]
                        over all i, j, a, b, c with s*i + a = p and s*j + b = q

    Shapes, arguments, weights, their names and the config are those of the Keras layer, and the
    numbers agree with it to rounding, so weights move freely between the two. What differs is how
    it is computed. On JAX without an accelerator the gradient of the stock layer for its kernel
    takes about a second in a DCGAN generator, thirty times what it needs. On PyTorch the stock
    layer computes a rim that it then cuts off, and copies the rest. On TensorFlow, and for stride
    1, Keras' own path is the fastest and is taken.

    It can be differentiated any number of times in reverse mode, as gradient penalties need.
    Forward mode (`jax.jvp`, `jax.hessian`) is refused by JAX on that path; use
    `keras.layers.Conv2DTranspose` there.

    Input shape:
        `(batch, height, width, channels)`, or `(batch, channels, height, width)` with
        `data_format="channels_first"`.

    Output shape:
        `(batch, new_height, new_width, filters)`, or `(batch, filters, new_height, new_width)`.
        With `padding="same"` and no `output_padding`, `new_height = height * stride`.

    Reference:
        Sub-pixel form of the forward pass: Shi et al., "Is the deconvolution layer the same as a
        convolutional layer?", 2016, https://arxiv.org/abs/1609.07009
    """

    def call(self, inputs: Any) -> Any:
        """Apply the transposed convolution, the bias and the activation to `inputs`."""
        channels_first = self.data_format == "channels_first"
        y = conv2d_transpose(
            ops.transpose(inputs, (0, 2, 3, 1)) if channels_first else inputs,
            self.kernel,
            bias=self.bias if self.use_bias else None,
            strides=self.strides,
            padding=self.padding,
            output_padding=self.output_padding,
            dilation_rate=self.dilation_rate,
        )
        if channels_first:
            y = ops.transpose(y, (0, 3, 1, 2))
        return y if self.activation is None else self.activation(y)
