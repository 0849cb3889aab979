"""Variational autoencoder (Kingma and Welling 2014) with convolutional networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from genkit.builtin.models.images import image_shape
from genkit.layers import Conv2D, Conv2DTranspose, rescale
from genkit.losses import bernoulli_nll, gaussian_nll, kl_to_standard_normal
from genkit.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from genkit.builtin.models.configs import VAEConfig
    from genkit.specs import Schema

UNIT = (0.0, 1.0)


class VAE(Model):
    """An encoder to a Gaussian latent and a decoder back, trained on the evidence lower bound.

    Kingma and Welling 2014, "Auto-Encoding Variational Bayes", equation 10 with one sample:
    ``loss = -log p(x | z) + kl_weight * KL(q(z | x) || N(0, I))``, in nats per image, with
    ``z = mean + exp(log_variance / 2) * noise``.

    Args:
        config: see ``genkit info vae``.
        schema: data with an image field whose height and width are multiples of 4.
    """

    config: VAEConfig
    schema: Schema

    def __init__(self, config: VAEConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        shape = image_shape(schema, "vae", multiple_of=4)
        self.encoder = build_encoder(shape, config)
        self.decoder = build_decoder(shape, config)
        self.add_optimizer(
            "vae", keras.optimizers.Adam(config.learning_rate), self.encoder, self.decoder
        )

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        # Training's reparameterisation noise and generation's latents are both standard normal.
        return {"z": rng.standard_normal((n, self.config.latent_dim), dtype="float32")}

    def schedule(self, step: int) -> dict[str, Any]:
        warmup = self.config.kl_warmup_steps
        return {"kl_weight": self.config.kl_weight * (min(1.0, step / warmup) if warmup else 1.0)}

    def encode(self, image: Any) -> tuple[Any, Any]:
        """Give the latent's mean and log variance, each ``(batch, latent_dim)``.

        Args:
            image: in the schema's range, ``(batch, height, width, channels)``.
        """
        outputs = self.encoder(self._to_unit(image))
        mean, log_variance = ops.split(outputs, 2, axis=-1)
        return mean, log_variance

    def loss(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Give the negative evidence lower bound and its two terms, in nats per image."""
        image = batch[self.schema.name_of("image")]
        mean, log_variance = self.encode(image)
        z = mean + ops.exp(0.5 * log_variance) * batch["z"]
        nll = self._negative_log_likelihood(self._to_unit(image), self.decoder(z))
        reconstruction_loss = ops.mean(nll)
        kl_loss = ops.mean(kl_to_standard_normal(mean, log_variance))
        loss = reconstruction_loss + batch["kl_weight"] * kl_loss
        return loss, {"reconstruction_loss": reconstruction_loss, "kl_loss": kl_loss}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, logs = minimize("vae", self.loss, batch)
        return {"loss": loss, **logs}

    def decode(self, z: Any) -> Any:
        outputs = self.decoder(z)
        if self.config.likelihood == "bernoulli":
            mean = ops.sigmoid(outputs)
        else:
            mean = ops.clip(outputs, *UNIT)
        return rescale(mean, UNIT, self._data_range())

    def _negative_log_likelihood(self, x: Any, outputs: Any) -> Any:
        if self.config.likelihood == "bernoulli":
            return bernoulli_nll(x, outputs)
        return gaussian_nll(x, outputs, self.config.gaussian_scale)

    def _to_unit(self, image: Any) -> Any:
        return rescale(image, self._data_range(), UNIT)

    def _data_range(self) -> tuple[float, float]:
        limits = self.schema[self.schema.name_of("image")].range
        assert limits is not None, "image_shape() checked it"
        return limits


def build_encoder(shape: tuple[int, int, int], config: VAEConfig) -> Any:
    """Build the encoder: images in [0, 1] to ``(batch, 2 * latent_dim)``: mean, log variance."""
    return keras.Sequential(
        [
            keras.Input(shape),
            Conv2D(config.width, 3, strides=2, padding="same", activation="relu"),
            Conv2D(2 * config.width, 3, strides=2, padding="same", activation="relu"),
            layers.Flatten(),
            layers.Dense(config.hidden, activation="relu"),
            layers.Dense(2 * config.latent_dim, dtype="float32"),
        ],
        name="encoder",
    )


def build_decoder(shape: tuple[int, int, int], config: VAEConfig) -> Any:
    """Build the decoder: ``(batch, latent_dim)`` to Bernoulli logits or Gaussian means."""
    height, width, channels = shape
    w = config.width
    return keras.Sequential(
        [
            keras.Input((config.latent_dim,)),
            layers.Dense(config.hidden, activation="relu"),
            layers.Dense(height // 4 * (width // 4) * 2 * w, activation="relu"),
            layers.Reshape((height // 4, width // 4, 2 * w)),
            Conv2DTranspose(2 * w, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(w, 3, strides=2, padding="same", activation="relu"),
            Conv2D(channels, 3, padding="same", dtype="float32"),
        ],
        name="decoder",
    )
