"""The model; imported when it is used, after the backend was chosen."""

import math
from collections.abc import Callable
from typing import Any

import genkit
import keras
import numpy as np
from genkit.errors import DataError
from genkit.layers import rescale
from keras import layers, ops

from genkit_myplugin.settings import DenseGANConfig

_TANH = (-1.0, 1.0)


class DenseGAN(genkit.Model):
    """Two dense networks against each other (Goodfellow et al. 2014).

    Args:
        config: see the settings.
        schema: data with an image field of one size.

    Raises:
        DataError: the images have no size or no range that is known.
    """

    config: DenseGANConfig

    def __init__(self, config: DenseGANConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.image = schema.name_of("image")
        field = schema[self.image]
        shape = tuple(size for size in field.shape if size is not None)
        if not len(shape) == len(field.shape) == 3 or field.range is None:
            raise DataError(f"Expected images of one size and a known range; received {field}.")
        self.range = field.range
        self.generator = build_generator(config, shape)
        self.discriminator = build_discriminator(config, shape)
        for name, network in (
            ("discriminator", self.discriminator),
            ("generator", self.generator),
        ):
            self.add_optimizer(name, keras.optimizers.Adam(config.learning_rate, 0.5), network)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"z": rng.standard_normal((n, self.config.latent_dim), dtype="float32")}

    def discriminator_loss(self, batch: dict[str, Any]) -> Any:
        """Score real images against generated ones."""
        real = rescale(batch[self.image], self.range, _TANH)
        fake = self.generator(batch["z"], training=True)
        on_real = ops.softplus(-self.discriminator(real, training=True))
        on_fake = ops.softplus(self.discriminator(fake, training=True))
        return ops.mean(on_real) + ops.mean(on_fake)

    def generator_loss(self, batch: dict[str, Any]) -> Any:
        """Pass as real: the non-saturating loss of the paper's section 3."""
        fake = self.generator(batch["z"], training=True)
        return ops.mean(ops.softplus(-self.discriminator(fake, training=True)))

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        d_loss, _ = minimize("discriminator", self.discriminator_loss, batch)
        g_loss, _ = minimize("generator", self.generator_loss, batch)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def decode(self, z: Any) -> Any:
        return rescale(self.generator(z, training=False), _TANH, self.range)


def build_generator(config: DenseGANConfig, shape: tuple[int, ...]) -> Any:
    """Build the generator: ``(batch, latent_dim)`` to ``(batch, height, width, channels)``."""
    return keras.Sequential(
        [
            keras.Input((config.latent_dim,)),
            layers.Dense(config.width, "relu"),
            layers.Dense(2 * config.width, "relu"),
            layers.Dense(math.prod(shape), "tanh", dtype="float32"),
            layers.Reshape(shape),
        ],
        name="generator",
    )


def build_discriminator(config: DenseGANConfig, shape: tuple[int, ...]) -> Any:
    """Build the discriminator: images to one score each, shape ``(batch, 1)``."""
    return keras.Sequential(
        [
            keras.Input(shape),
            layers.Flatten(),
            layers.Dense(2 * config.width),
            layers.LeakyReLU(0.2),
            layers.Dense(config.width),
            layers.LeakyReLU(0.2),
            layers.Dense(1, dtype="float32"),
        ],
        name="discriminator",
    )
