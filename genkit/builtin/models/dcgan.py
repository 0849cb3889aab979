"""Deep convolutional GAN (Radford et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from genkit.builtin.models.configured_gan import ConfiguredGAN, normalised
from genkit.builtin.models.images import image_shape
from genkit.layers import BatchNormalization, Conv2D, Conv2DTranspose, Dropout

if TYPE_CHECKING:
    from genkit.builtin.models.gan_configs import DCGANConfig
    from genkit.plugins.specs import Schema


class DCGAN(ConfiguredGAN):
    """A GAN whose networks are convolutional, with batch normalisation in the generator.

    Radford et al. 2016, "Unsupervised Representation Learning with Deep Convolutional Generative
    Adversarial Networks": strided convolutions instead of pooling, LeakyReLU, weights drawn from
    N(0, 0.02), Adam(0.0002, beta_1=0.5). Two up-samplings, so that 28x28 images fit; dropout in
    the discriminator, as is usual at that size.

    Args:
        config: see ``genkit info dcgan``.
        schema: data with an image field whose height and width are multiples of 4.
    """

    def __init__(self, config: DCGANConfig, schema: Schema) -> None:
        shape = image_shape(schema, type(self).__name__, multiple_of=4)
        super().__init__(
            build_generator(shape, config), build_discriminator(shape, config), config, schema
        )


def initial() -> Any:
    """Make the weights' initial distribution, N(0, 0.02)."""
    return keras.initializers.RandomNormal(stddev=0.02)


def build_generator(
    shape: tuple[int, int, int], config: DCGANConfig, latent_dim: int | None = None
) -> Any:
    """Build the generator: ``(batch, latent_dim)`` to ``(batch, height, width, channels)``.

    ``latent_dim`` is that of the settings if not given.
    """
    height, width, channels = shape
    w = config.width

    def activated() -> list[Any]:
        return [BatchNormalization(), layers.LeakyReLU(config.leaky_slope)]

    def upsample(filters: int) -> list[Any]:
        convolution = Conv2DTranspose(
            filters, 4, strides=2, padding="same", use_bias=False, kernel_initializer=initial()
        )
        return [convolution, *activated()]

    return keras.Sequential(
        [
            keras.Input((latent_dim or config.latent_dim,)),
            layers.Dense(
                height // 4 * (width // 4) * 4 * w, use_bias=False, kernel_initializer=initial()
            ),
            *activated(),
            layers.Reshape((height // 4, width // 4, 4 * w)),
            *upsample(2 * w),  # (height / 2, width / 2, 2w)
            *upsample(w),  # (height, width, w)
            Conv2D(channels, 5, padding="same", kernel_initializer=initial()),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )


def build_discriminator(shape: tuple[int, int, int], config: DCGANConfig) -> Any:
    """Build the discriminator: ``(batch, height, width, channels)`` to one score each."""
    features = build_features(config)
    head = normalised(layers.Dense(1, kernel_initializer=initial(), dtype="float32"), config)
    return keras.Sequential([keras.Input(shape), *features, head], name="discriminator")


def build_features(config: DCGANConfig) -> list[Any]:
    """Make the discriminator's layers: images to ``(batch, features)``."""

    def part(layer: Any, *, first: bool = False) -> list[Any]:
        batch_norm = config.discriminator_batch_norm and not first
        return [
            normalised(layer, config),
            *([BatchNormalization()] if batch_norm else []),
            layers.LeakyReLU(config.leaky_slope),
            Dropout(config.dropout),
        ]

    def downsampling(filters: int) -> Any:
        return Conv2D(filters, 4, strides=2, padding="same", kernel_initializer=initial())

    def hidden(units: int) -> Any:
        return layers.Dense(units, kernel_initializer=initial())

    return [
        *part(downsampling(config.width), first=True),  # (height / 2, width / 2, w)
        *part(downsampling(2 * config.width)),  # (height / 4, width / 4, 2w)
        layers.Flatten(),
        *(part(hidden(config.discriminator_hidden)) if config.discriminator_hidden else []),
    ]
