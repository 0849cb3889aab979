"""The first GAN (Goodfellow et al. 2014): two dense networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from genkit.builtin.models.configured_gan import ConfiguredGAN, normalised
from genkit.builtin.models.images import image_shape
from genkit.layers import Dropout

if TYPE_CHECKING:
    from genkit.builtin.models.gan_configs import DenseGANConfig
    from genkit.plugins.specs import Schema


class DenseGAN(ConfiguredGAN):
    """A GAN whose networks are dense: for small images, and to see how GANs work.

    Goodfellow et al. 2014, "Generative Adversarial Nets", algorithm 1 with k = 1 and the
    non-saturating loss of section 3. Where the paper has maxout and sigmoids, this has LeakyReLU
    and tanh, which train more steadily.

    Args:
        config: see ``genkit info gan``.
        schema: data with an image field.
    """

    def __init__(self, config: DenseGANConfig, schema: Schema) -> None:
        shape = image_shape(schema, type(self).__name__)
        super().__init__(
            build_generator(shape, config), build_discriminator(shape, config), config, schema
        )


def build_generator(shape: tuple[int, int, int], config: DenseGANConfig) -> Any:
    """Build the generator: ``(batch, latent_dim)`` to ``(batch, height, width, channels)``."""

    def hidden(units: int) -> list[Any]:
        return [layers.Dense(units), layers.LeakyReLU(config.leaky_slope)]

    return keras.Sequential(
        [
            keras.Input((config.latent_dim,)),
            *hidden(config.hidden),
            *hidden(2 * config.hidden),
            *hidden(4 * config.hidden),
            layers.Dense(math.prod(shape)),
            layers.Reshape(shape),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )


def build_discriminator(shape: tuple[int, int, int], config: DenseGANConfig) -> Any:
    """Build the discriminator: ``(batch, height, width, channels)`` to one score each."""

    def hidden(units: int) -> list[Any]:
        dense = normalised(layers.Dense(units), config)
        return [dense, layers.LeakyReLU(config.leaky_slope), Dropout(config.dropout)]

    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Flatten(),
            *hidden(4 * config.hidden),
            *hidden(2 * config.hidden),
            *hidden(config.hidden),
            normalised(layers.Dense(1, dtype="float32"), config),
        ],
        name="discriminator",
    )
