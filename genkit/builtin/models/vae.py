"""Variational autoencoder (Kingma and Welling 2014) with convolutional networks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from genkit.builtin.models.averaging import averaging_adam
from genkit.builtin.models.flow_prior import FlowPrior
from genkit.builtin.models.guidance import hidden
from genkit.builtin.models.images import image_shape
from genkit.builtin.models.labels import class_count
from genkit.errors import UsageError
from genkit.layers import Conv2D, Conv2DTranspose, rescale
from genkit.losses import bernoulli_nll, gaussian_nll, kl_to_standard_normal
from genkit.models.autoencoder import Autoencoder

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from genkit.builtin.models.vae_configs import VAEConfig
    from genkit.plugins.specs import Schema

UNIT = (0.0, 1.0)


class VAE(Autoencoder):
    """An encoder to a Gaussian latent and a decoder back, trained on the evidence lower bound.

    Kingma and Welling 2014, "Auto-Encoding Variational Bayes", equation 10 with one sample:
    ``loss = -log p(x | z) + kl_weight * KL(q(z | x) || N(0, I))``, in nats per image, with
    ``z = mean + exp(log_variance / 2) * noise``. With a ``kl_weight`` above 1 it is the beta-VAE of
    Higgins et al. 2017, "beta-VAE: Learning Basic Visual Concepts ...", equation 4.

    Generation draws latents from N(0, I), where the encoder's may be rare. With the setting
    ``prior`` a flow learns in the same step where they are, and draws them; then the KL term may
    weigh little, which makes pictures sharper.

    Args:
        config: see ``genkit info vae``.
        schema: data with an image field whose height and width are multiples of 4.
    """

    config: VAEConfig
    schema: Schema
    networks_take_labels = True
    """Whether encoder and decoder of a conditional model see the label."""

    def __init__(self, config: VAEConfig, schema: Schema) -> None:
        super().__init__(config, schema)
        shape = image_shape(schema, type(self).__name__, multiple_of=4)
        self.encoder = self.encoder_for(shape)
        self.decoder = self.decoder_for(shape)
        adam = averaging_adam(config.learning_rate, 0.0, config.average_window)
        self.add_optimizer("vae", adam, self.encoder, self.decoder)
        self.prior = None
        if config.prior == "flow":
            classes = class_count(schema, type(self).__name__) if self.conditional else 0
            self.prior = FlowPrior(config, classes)
            adam = averaging_adam(config.prior_learning_rate, 0.0, config.average_window)
            self.add_optimizer("prior", adam, self.prior)

    def encoder_for(self, shape: tuple[int, int, int]) -> Any:
        """Build the encoder; see ``build_encoder``."""
        return build_encoder(shape, self.config)

    def decoder_for(self, shape: tuple[int, int, int]) -> Any:
        """Build the decoder; see ``build_decoder``."""
        return build_decoder(shape, self.config, self.config.latent_dim)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        # Training's reparameterisation noise and generation's latents are both standard normal.
        return {"z": rng.standard_normal((n, self.config.latent_dim), dtype="float32")}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        noise = self.noise(rng, n)
        if self.prior is not None:
            shape = (n, self.config.prior_draws)
            noise["start"] = rng.standard_normal((*shape, self.config.latent_dim), dtype="float32")
            noise["time"] = rng.random(shape, dtype="float32")
            noise["hide"] = rng.random(shape, dtype="float32")
        return noise

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:  # noqa: ARG002
        warmup = self.config.kl_warmup_steps
        return {"kl_weight": self.config.kl_weight * (min(1.0, step / warmup) if warmup else 1.0)}

    def posterior(self, image: Any, label: Any = None) -> tuple[Any, Any]:
        """Return the latent's mean and log variance, each ``(batch, latent_dim)``.

        Args:
            image: in the schema's range, ``(batch, height, width, channels)``.
            label: for a conditional model, int32 ``(batch,)``.
        """
        outputs = self.encoder(self._inputs(self._to_unit(image), label))
        mean, log_variance = ops.split(outputs, 2, axis=-1)
        return mean, log_variance

    def loss(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the negative evidence lower bound and its two terms, in nats per image."""
        image = batch[self.schema.name_of("image")]
        terms = self.bound_terms(image, batch["z"], self._label(batch))
        reconstruction_loss, kl_loss = ops.unstack(ops.mean(terms, axis=0))
        loss = reconstruction_loss + batch["kl_weight"] * kl_loss
        return loss, {"reconstruction_loss": reconstruction_loss, "kl_loss": kl_loss}

    def bound_terms(self, items: Any, noise: Any, label: Any = None) -> Any:
        """Return ``-log p(x | z)`` and ``KL(q(z | x) || N(0, I))`` of each item, in nats.

        Args:
            items: in the schema's range, ``(batch, height, width, channels)``.
            noise: standard normal, ``(batch, latent_dim)``; chooses the ``z``.
            label: for a conditional model, int32 ``(batch,)``.

        Returns:
            shape ``(batch, 2)``.
        """
        mean, log_variance = self.posterior(items, label)
        z = _reparameterized(mean, log_variance, noise)
        nll = self._negative_log_likelihood(
            self._to_unit(items), self.decoder(self._inputs(z, label))
        )
        return ops.stack([nll, kl_to_standard_normal(mean, log_variance)], axis=1)

    def prior_loss(self, latent: Any, batch: dict[str, Any]) -> Any:
        """Return how far the flow's velocities are off, for latents ``(batch, latent_dim)``."""
        assert self.prior is not None, "only a model with a flow has this loss"
        label = self._label(batch)
        if label is not None:
            share = getattr(self.config, "label_dropout", 0.0)
            label = hidden(label[:, None], batch["hide"], share, self.prior.no_label)
        return self.prior.loss(latent, batch["start"], batch["time"], label)

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        if self.prior is None:
            loss, logs = minimize("vae", self.loss, batch)
            return {"loss": loss, **logs}
        # The encoder runs once: engines see that the loss begins with the same computation.
        posterior = self.posterior(batch[self.schema.name_of("image")], self._label(batch))
        latent = ops.stop_gradient(_reparameterized(*posterior, batch["z"]))
        loss, logs = minimize("vae", self.loss, batch)
        prior_loss, _ = minimize("prior", self.prior_loss, latent, batch)
        return {"loss": loss, **logs, "prior_loss": prior_loss}

    def decode(self, z: Any, label: Any = None, **options: Any) -> Any:
        return self.from_latent(self.draw_latent(z, label, **options), label)

    def draw_latent(
        self,
        z: Any,
        label: Any = None,
        guidance: Any = None,
        sampling_steps: int | None = None,
    ) -> Any:
        """Draw latents from the prior.

        Args:
            z: standard normal, ``(batch, latent_dim)``; of a normal prior the latents themselves.
            label: for a conditional model, int32 ``(batch,)``.
            guidance: how far labels push the flow; by default the setting of that name, if any.
            sampling_steps: of the flow; by default the setting of that name.
        """
        if self.prior is None:
            return z
        if guidance is not None and label is None:
            raise UsageError("Guidance needs labels: the model was not trained as conditional.")
        scale = getattr(self.config, "guidance", 1.0) if guidance is None else guidance
        return self.prior.draw(z, label, scale, sampling_steps or self.config.sampling_steps)

    def to_latent(self, items: Any, label: Any = None) -> Any:
        return self.posterior(items, label)[0]

    def from_latent(self, latent: Any, label: Any = None) -> Any:
        outputs = self.decoder(self._inputs(latent, label))
        if self.config.likelihood == "bernoulli":
            mean = ops.sigmoid(outputs)
        else:
            mean = ops.clip(outputs, *UNIT)
        return rescale(mean, UNIT, self._data_range())

    def log_weights(self, items: Any, noise: Any, label: Any = None) -> Any:
        """Return ``log p(x | z) + log p(z) - log q(z | x)`` for several ``z`` an item.

        Burda et al. 2016, "Importance Weighted Autoencoders", equation 8.

        Args:
            items: in the schema's range, ``(batch, height, width, channels)``.
            noise: standard normal, ``(batch, samples, latent_dim)``; chooses the ``z``.
            label: for a conditional model, int32 ``(batch,)``.

        Returns:
            shape ``(batch, samples)``, in nats.

        Raises:
            UsageError: the prior is a flow, whose density isn't known here.
        """
        if self.prior is not None:
            raise UsageError("The bound is that of a normal prior; this model's is a flow.")
        samples = noise.shape[1]
        mean, log_variance = (x[:, None] for x in self.posterior(items, label))
        z = _reparameterized(mean, log_variance, noise)
        # The constants of the two normal densities cancel.
        log_prior = -0.5 * ops.sum(ops.square(z), axis=-1)
        log_posterior = -0.5 * ops.sum(ops.square(noise) + log_variance, axis=-1)
        labels = None if label is None else ops.repeat(label, samples, axis=0)
        outputs = self.decoder(self._inputs(ops.reshape(z, (-1, z.shape[-1])), labels))
        repeated = ops.repeat(self._to_unit(items), samples, axis=0)
        nll = ops.reshape(self._negative_log_likelihood(repeated, outputs), (-1, samples))
        return log_prior - log_posterior - nll

    def _negative_log_likelihood(self, x: Any, outputs: Any) -> Any:
        if self.config.likelihood == "bernoulli":
            return bernoulli_nll(x, outputs)
        return gaussian_nll(x, outputs, self.config.gaussian_scale)

    def _inputs(self, x: Any, label: Any) -> Any:
        return x if label is None or not self.networks_take_labels else [x, label]

    def _label(self, batch: dict[str, Any]) -> Any:
        return batch[self.schema.name_of("label")] if self.conditional else None

    def _to_unit(self, image: Any) -> Any:
        return rescale(image, self._data_range(), UNIT)

    def _data_range(self) -> tuple[float, float]:
        limits = self.schema[self.schema.name_of("image")].range
        assert limits is not None, "image_shape() checked it"
        return limits


def _reparameterized(mean: Any, log_variance: Any, noise: Any) -> Any:
    """Return ``z`` of ``q(z | x)`` from normal noise (Kingma and Welling 2014, section 2.4)."""
    return mean + ops.exp(0.5 * log_variance) * noise


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


def build_decoder(shape: tuple[int, int, int], config: VAEConfig, latent_dim: int) -> Any:
    """Build the decoder: ``(batch, latent_dim)`` to Bernoulli logits or Gaussian means."""
    height, width, channels = shape
    w = config.width
    return keras.Sequential(
        [
            keras.Input((latent_dim,)),
            layers.Dense(config.hidden, activation="relu"),
            layers.Dense(height // 4 * (width // 4) * 2 * w, activation="relu"),
            layers.Reshape((height // 4, width // 4, 2 * w)),
            Conv2DTranspose(2 * w, 3, strides=2, padding="same", activation="relu"),
            Conv2DTranspose(w, 3, strides=2, padding="same", activation="relu"),
            Conv2D(channels, 3, padding="same", dtype="float32"),
        ],
        name="decoder",
    )
