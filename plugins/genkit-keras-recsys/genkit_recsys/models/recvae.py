"""RecVAE: a variational autoencoder whose prior holds on to what it knew."""

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
from genkit_recsys.histories import Histories
from genkit_recsys.model_settings import RecVAEConfig
from genkit_recsys.models.autoencoder import Scaled, multinomial_nll
from genkit_recsys.models.recommender import Recommender, weight

_LAYERS = 4
_WIDE = 10.0  # variance of the wide part of the prior, as log: the paper's code
_LOG_2_PI = float(np.log(2 * np.pi))


class RecVAE(Recommender):
    """A multinomial VAE with a composite prior, trained in turns.

    Shenbin et al. 2020, "RecVAE: A New Variational Autoencoder for Top-N Recommendations with
    Implicit Feedback". The prior is a mixture of ``N(0, I)``, the posterior of an older encoder and
    a wide normal (equation 8); the KL term of a history weighs ``gamma |x_u|`` (equation 9). In
    each step the encoder takes three updates, on thinned-out histories, and the linear decoder one
    on whole ones (algorithm 1, with steps in the place of epochs); every ``refresh_every`` steps
    the old posterior becomes the present one.
    """

    batches_per_step = 4
    config: RecVAEConfig
    rows: ClassVar = {
        "encoder/layers/3/kernel": (0, "items"),
        "older/layers/3/kernel": (0, "items"),
        "decoder/layers/0/kernel": (1, "items"),
        "decoder/layers/0/bias": (0, "items"),
    }

    def __init__(self, config: RecVAEConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.encoder, self.older = (self._new_encoder(config) for _ in range(2))
        self.older.trainable = False
        self.older.set_weights(self.encoder.get_weights())
        self.decoder = keras.Sequential(
            [keras.Input((config.latent_dim,)), keras.layers.Dense(self.n_items)]
        )
        for name, network in (("encoder", self.encoder), ("decoder", self.decoder)):
            self.add_optimizer(name, keras.optimizers.Adam(config.learning_rate), network)

    def _new_encoder(self, config: RecVAEConfig) -> keras.Model:
        """Build the encoder: each layer adds all that came before it (figure 2).

        Their sum is kept, not they: with them, two runs of one seed on TensorFlow differed in their
        last bits.
        """
        layers = keras.layers
        history = keras.Input((self.n_items,))
        x = Dropout(config.dropout)(Scaled()(history))
        before: Any = 0.0
        for _ in range(_LAYERS):
            x = layers.Dense(config.hidden_dim)(x) + before
            x = layers.LayerNormalization(epsilon=1e-1)(keras.activations.silu(x))
            before = before + x
        return keras.Model(history, layers.Dense(2 * config.latent_dim)(x))

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"epsilon": rng.standard_normal((n, self.config.latent_dim), dtype="float32")}

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:  # noqa: ARG002
        return {"refresh": (step + 1) % self.config.refresh_every == 0}

    def loss(self, batch: dict[str, Any], *, thinned: bool) -> Any:
        """Return the mean loss of histories, and its parts.

        Args:
            batch: histories and noise.
            thinned: whether dropout thins the histories out.
        """
        x = self.dense_histories(batch)
        mean, log_variance = ops.split(self.encoder(x, training=thinned), 2, axis=-1)
        z = mean + ops.exp(0.5 * log_variance) * batch["epsilon"]
        nll = ops.mean(multinomial_nll(x, self.decoder(z)))
        density = ops.sum(_log_normal(z, mean, log_variance), axis=-1)
        kl = density - self._log_prior(z, x)
        kl = ops.mean(self.config.gamma * ops.sum(x, axis=-1) * kl)
        return nll + kl, {"nll": nll, "kl": kl}

    def _log_prior(self, z: Any, x: Any) -> Any:
        """Return the log-density of the composite prior, shape ``(batch,)``."""
        mean, log_variance = ops.split(self.older(x, training=False), 2, axis=-1)
        zero = ops.zeros_like(z)
        parts = (
            _log_normal(z, zero, zero),
            _log_normal(z, ops.stop_gradient(mean), ops.stop_gradient(log_variance)),
            _log_normal(z, zero, zero + _WIDE),
        )
        shares = np.log(np.asarray(self.config.prior_weights, np.float32) + 1e-12)
        mixed = ops.stack([part + share for part, share in zip(parts, shares, strict=True)])
        return ops.sum(ops.logsumexp(mixed, axis=0), axis=-1)

    def _encoder_loss(self, batch: dict[str, Any]) -> Any:
        return self.loss(batch, thinned=True)

    def _decoder_loss(self, batch: dict[str, Any]) -> Any:
        return self.loss(batch, thinned=False)

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        *for_encoder, for_decoder = batch
        for each in for_encoder:
            loss, parts = minimize("encoder", self._encoder_loss, each)
        decoder_loss, _ = minimize("decoder", self._decoder_loss, for_decoder)
        if for_decoder["refresh"]:
            for old, new in zip(self.older.weights, self.encoder.weights, strict=True):
                old.assign(new)
        return {"loss": loss, "decoder_loss": decoder_loss, **parts}

    def score(self, history: Any) -> Any:
        return self.decoder(self._mean(history))

    def _mean(self, history: Any) -> Any:
        return ops.split(self.encoder(history, training=False), 2, axis=-1)[0]

    def before_items(self, history: Any) -> Any:
        """Return what the decoder makes scores of, shape ``(batch, latent_dim)``."""
        return self._mean(history)

    @property
    def item_vectors(self) -> NDArray[np.float32]:
        """The vectors of all items; scores are products with them."""
        last = self.decoder.layers[-1]
        return np.vstack([weight(last.kernel), weight(last.bias)]).T

    def vectors_of(self, histories: Histories, users: np.ndarray) -> NDArray[np.float32]:  # noqa: ARG002
        """Return the vector of each user."""
        vectors = self.map_histories("before_items", histories)
        return np.hstack([vectors, np.ones((len(vectors), 1), np.float32)])


def _log_normal(z: Any, mean: Any, log_variance: Any) -> Any:
    squared = ops.square(z - mean) / ops.exp(log_variance)
    return -0.5 * (squared + log_variance + _LOG_2_PI)
