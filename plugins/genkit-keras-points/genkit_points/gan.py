"""A GAN of points: GenKit's own, around two dense networks."""

from __future__ import annotations

import keras

import genkit
from genkit_points.configs import PointsGANConfig
from genkit_points.networks import INSIDE, LATENT_FREQUENCY, class_count, dense, limits


class PointsGAN(genkit.GAN):
    """A generator of points against a discriminator of points; see ``genkit.GAN``.

    With the settings ``r1`` and ``r2`` and the loss ``non-saturating`` it settles down (Mescheder
    et al. 2018, "Which Training Methods for GANs do actually Converge?"); without them it shows
    how GANs go round in circles and lose modes.

    Args:
        config: see ``genkit info points-gan``.
        schema: data with points and, if ``conditional``, labels.
    """

    def __init__(self, config: PointsGANConfig, schema: genkit.Schema) -> None:
        limits(schema)
        classes = class_count(schema, config.conditional)
        adam = {"learning_rate": config.learning_rate, "beta_1": 0.5}
        super().__init__(
            dense(
                "generator",
                config.latent_dim,
                2,
                config.hidden,
                frequency=LATENT_FREQUENCY,
                classes=classes,
                last="tanh",
            ),
            dense("discriminator", 2, 1, config.hidden, classes=classes),
            loss=config.loss,
            gradient_penalty=config.gradient_penalty,
            r1=config.r1,
            r2=config.r2,
            critic_steps=config.critic_steps,
            generator_optimizer=keras.optimizers.Adam(**adam),
            discriminator_optimizer=keras.optimizers.Adam(**adam),
            output_range=INSIDE,
            config=config,
            schema=schema,
        )
