"""Keras layers and tensor functions that generative models share."""

from genkit.layers.augmentation import augment_images
from genkit.layers.batch_normalization import BatchNormalization
from genkit.layers.conv import Conv2D
from genkit.layers.conv_transpose import Conv2DTranspose
from genkit.layers.convolution import conv2d, conv2d_transpose
from genkit.layers.dropout import Dropout
from genkit.layers.gelu import gelu
from genkit.layers.layer_normalization import LayerNormalization
from genkit.layers.one_hot import one_hot
from genkit.layers.resample import resample
from genkit.layers.scaling import rescale
from genkit.layers.spectral_normalization import SpectralNormalization
from genkit.layers.vector_quantizer import VectorQuantizer

__all__ = [
    "BatchNormalization",
    "Conv2D",
    "Conv2DTranspose",
    "Dropout",
    "LayerNormalization",
    "SpectralNormalization",
    "VectorQuantizer",
    "augment_images",
    "conv2d",
    "conv2d_transpose",
    "gelu",
    "one_hot",
    "resample",
    "rescale",
]
