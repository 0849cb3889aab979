"""A GAN for images whose networks, losses and updates come from its settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras

from genkit.builtin.models.averaging import averaging_adam
from genkit.builtin.models.gan import GAN, lazy_share
from genkit.layers import SpectralNormalization

if TYPE_CHECKING:
    from genkit.builtin.models.gan_configs import GANConfig
    from genkit.plugins.specs import Schema


class ConfiguredGAN(GAN):
    """Hands the settings of a ``GANConfig`` to ``GAN``; the networks end in tanh.

    Args:
        generator: built network, noise ``(batch, latent_dim)`` to images in [-1, 1].
        discriminator: built network, images in [-1, 1] to one score each.
        config: the settings.
        schema: data with an image field.
    """

    def __init__(
        self, generator: Any, discriminator: Any, config: GANConfig, schema: Schema
    ) -> None:
        in_images = config.generator_average_images
        share = lazy_share(config.penalty_interval)
        super().__init__(
            generator,
            discriminator,
            loss=config.loss,
            gradient_penalty=config.gradient_penalty,
            r1=config.r1,
            r2=config.r2,
            penalty_interval=config.penalty_interval,
            critic_steps=config.critic_steps,
            augment=config.augment,
            generator_optimizer=averaging_adam(
                config.learning_rate,
                0.0 if in_images else config.generator_average,
                0.0 if in_images else config.generator_average_window,
                beta_1=config.beta_1,
                beta_2=config.beta_2,
            ),
            discriminator_optimizer=keras.optimizers.Adam(
                share * (config.discriminator_learning_rate or config.learning_rate),
                beta_1=config.beta_1**share,
                beta_2=config.beta_2**share,
            ),
            output_range=(-1.0, 1.0),
            config=config,
            schema=schema,
        )
        if in_images:
            self.add_averages("generator", in_images)


def normalised(layer: Any, config: GANConfig) -> Any:
    """Return a discriminator's layer with spectral normalisation, if the settings ask for it."""
    return SpectralNormalization(layer, dtype=layer.dtype_policy) if config.spectral_norm else layer
