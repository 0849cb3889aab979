"""Keras layers and tensor functions that generative models share."""

from genkit.layers.conv_transpose import Conv2DTranspose
from genkit.layers.scaling import rescale

__all__ = ["Conv2DTranspose", "rescale"]
