"""Models that only the benchmarks have, written as anyone would write theirs."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.builtin.models.dcgan import build_generator
from genkit.builtin.models.gan_configs import DCGANConfig
from genkit.layers import Conv2D

PENALTY = 10.0


def mlp_gan(schema: Any) -> Any:
    """Return a GAN of two small dense networks: hardly any arithmetic, so overhead shows."""
    generator = keras.Sequential(
        [
            keras.Input((16,)),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(28 * 28),
            layers.Reshape((28, 28, 1)),
            layers.Activation("tanh", dtype="float32"),
        ],
        name="generator",
    )
    discriminator = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(64, activation="relu"),
            layers.Dense(1, dtype="float32"),
        ],
        name="discriminator",
    )
    return genkit.GAN(generator, discriminator, output_range=(-1.0, 1.0), schema=schema)


class WGANGP(genkit.GAN):
    """Gulrajani et al. 2017: a critic with a penalty on its input gradient (equation 3).

    One critic update and one generator update a step; Adam(0.0001, beta_1=0, beta_2=0.9).
    """

    def __init__(self, schema: Any) -> None:
        def adam() -> Any:
            return keras.optimizers.Adam(1e-4, beta_1=0.0, beta_2=0.9)

        super().__init__(
            build_generator((28, 28, 1), DCGANConfig()),
            _critic(),
            generator_optimizer=adam(),
            discriminator_optimizer=adam(),
            output_range=(-1.0, 1.0),
            schema=schema,
        )

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        mix = rng.random((n, 1, 1, 1), dtype="float32")
        return {**super().noise(rng, n), "mix": mix}

    def discriminator_loss(self, batch: dict[str, Any]) -> Any:
        real = self._real(batch)
        fake = self.generator(batch["z"], training=True)
        between = batch["mix"] * real + (1.0 - batch["mix"]) * fake
        slope = genkit.gradient(lambda x: self.discriminator(x, training=True), between)
        norm = ops.sqrt(ops.sum(ops.square(slope), axis=(1, 2, 3)) + 1e-12)
        penalty = PENALTY * ops.mean(ops.square(norm - 1.0))
        score = ops.mean(self.discriminator(fake, training=True)) - ops.mean(
            self.discriminator(real, training=True)
        )
        return score + penalty

    def generator_loss(self, batch: dict[str, Any]) -> Any:
        return -ops.mean(self.discriminator(self.generator(batch["z"], training=True)))


def _critic() -> Any:
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            Conv2D(64, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            Conv2D(128, 4, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Flatten(),
            layers.Dense(1, dtype="float32"),
        ],
        name="discriminator",
    )
