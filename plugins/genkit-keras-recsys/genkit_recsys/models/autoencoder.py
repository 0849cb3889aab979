"""Mult-VAE and Mult-DAE: autoencoders of histories with a multinomial likelihood."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

import genkit
from genkit.layers import Dropout
from genkit.losses import kl_to_standard_normal
from genkit_recsys.histories import Histories
from genkit_recsys.model_settings import AutoencoderConfig, MultDAEConfig, MultVAEConfig
from genkit_recsys.models.recommender import Recommender, weight


class MultinomialAutoencoder(Recommender):
    """Encodes a history, and decodes it into a distribution over all items.

    Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering". The history ``x_u``
    is scaled to length 1 and thinned out by dropout; with ``pi`` the softmax of what is decoded,
    its log-likelihood is ``sum_i x_ui log pi_i`` (equation 2).

    Args:
        config: widths and rates.
        schema: of the data.
        encoded: numbers that the encoder gives for each latent.
    """

    config: AutoencoderConfig
    rows: ClassVar = {
        "encoder/layers/2/kernel": (0, "items"),
        "decoder/layers/1/kernel": (1, "items"),
        "decoder/layers/1/bias": (0, "items"),
    }

    def __init__(self, config: AutoencoderConfig, schema: genkit.Schema, encoded: int) -> None:
        super().__init__(config, schema)
        layers = keras.layers
        self.encoder = keras.Sequential(
            [
                keras.Input((self.n_items,)),
                Scaled(),
                Dropout(config.dropout),
                layers.Dense(config.hidden_dim, "tanh"),
                layers.Dense(encoded * config.latent_dim),
            ]
        )
        self.decoder = keras.Sequential(
            [
                keras.Input((config.latent_dim,)),
                layers.Dense(config.hidden_dim, "tanh"),
                layers.Dense(self.n_items),
            ]
        )
        self.add_optimizer(
            "autoencoder", keras.optimizers.Adam(config.learning_rate), self.encoder, self.decoder
        )

    def score(self, history: Any) -> Any:
        return self.decoder(self.latent(history), training=False)

    def latent(self, history: Any) -> Any:
        """Return the latent of histories, without chance."""
        return self.encoder(history, training=False)

    def before_items(self, history: Any) -> Any:
        """Return what the last layer makes scores of, shape ``(batch, hidden_dim)``."""
        latent = self.latent(history)
        for layer in self.decoder.layers[:-1]:
            latent = layer(latent)
        return latent

    @property
    def item_vectors(self) -> NDArray[np.float32]:
        """The vectors of all items; scores are products with them."""
        last = self.decoder.layers[-1]
        return np.vstack([weight(last.kernel), weight(last.bias)]).T

    def vectors_of(self, histories: Histories, users: np.ndarray) -> NDArray[np.float32]:  # noqa: ARG002
        """Return the vector of each user."""
        vectors = self.map_histories("before_items", histories)
        return np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])


class MultVAE(MultinomialAutoencoder):
    """The variational autoencoder: the latent is drawn from ``N(mu(x_u), sigma(x_u)^2)``.

    The loss is ``-sum_i x_ui log pi_i + beta KL(q(z | x_u) || N(0, I))`` (equation 7), where
    ``beta`` grows from 0 to ``kl_weight`` over ``annealing_steps`` (section 2.2.2).
    """

    config: MultVAEConfig

    def __init__(self, config: MultVAEConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema, encoded=2)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"epsilon": rng.standard_normal((n, self.config.latent_dim), dtype="float32")}

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:  # noqa: ARG002
        grown = min(1.0, step / self.config.annealing_steps)
        return {"beta": float(self.config.kl_weight * grown)}

    def latent(self, history: Any) -> Any:
        mean, _ = ops.split(self.encoder(history, training=False), 2, axis=-1)
        return mean

    def loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean loss of histories, and its parts."""
        x = self.dense_histories(batch)
        mean, log_variance = ops.split(self.encoder(x, training=True), 2, axis=-1)
        z = mean + ops.exp(0.5 * log_variance) * batch["epsilon"]
        nll = ops.mean(multinomial_nll(x, self.decoder(z, training=True)))
        kl = ops.mean(kl_to_standard_normal(mean, log_variance))
        return nll + batch["beta"] * kl, {"nll": nll, "kl": kl}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, parts = minimize("autoencoder", self.loss, batch)
        return {"loss": loss, **parts}


class MultDAE(MultinomialAutoencoder):
    """The denoising autoencoder: no chance but dropout, and an L2 penalty on the kernels.

    The loss is ``-sum_i x_ui log pi_i + l2 |theta|^2`` (section 2.2.3).
    """

    config: MultDAEConfig

    def __init__(self, config: MultDAEConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema, encoded=1)

    def loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean loss of histories."""
        x = self.dense_histories(batch)
        logits = self.decoder(self.encoder(x, training=True), training=True)
        kernels = [
            layer.kernel
            for network in (self.encoder, self.decoder)
            for layer in network.layers
            if hasattr(layer, "kernel")
        ]
        penalty = sum(ops.sum(ops.square(kernel)) for kernel in kernels)
        return ops.mean(multinomial_nll(x, logits)) + self.config.l2 * penalty

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, _ = minimize("autoencoder", self.loss, batch)
        return {"loss": loss}


class Scaled(keras.layers.Layer):
    """Scales each history to length 1; an empty one stays as it is."""

    def call(self, history: Any) -> Any:
        """Scale."""
        square = ops.sum(ops.square(history), axis=-1, keepdims=True)
        return history * ops.rsqrt(ops.maximum(square, 1e-6))


def multinomial_nll(x: Any, logits: Any) -> Any:
    """Return the negative log-likelihood of histories, ``-sum_i x_i log softmax(logits)_i``.

    Args:
        x: histories, shape ``(batch, items)``.
        logits: same shape.

    Returns:
        shape ``(batch,)``.
    """
    return ops.sum(x, axis=-1) * ops.logsumexp(logits, axis=-1) - ops.sum(x * logits, axis=-1)
