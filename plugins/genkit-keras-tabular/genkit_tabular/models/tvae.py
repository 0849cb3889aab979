"""A variational autoencoder of tables."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from genkit.losses import kl_to_standard_normal
from genkit_tabular.configs import TVAEConfig
from genkit_tabular.encoded import CODES
from genkit_tabular.models.factored import FactoredModel, normal

_LEAST_SPREAD = 0.01


class TableTVAE(FactoredModel):
    """Rows are decoded from standard normal numbers.

    Xu et al. 2019, "Modeling Tabular data using Conditional GAN", section 4.5. Other than there,
    modes are runs of the columns' codes, positions in them are ranks, and how far a position
    spreads is foretold for each row.

    Args:
        config: see ``genkit info tvae``.
        schema: of a table.
    """

    config: TVAEConfig

    def make(self) -> None:
        super().make()
        config, width = self.config, self.encoding.width
        ranked = len(self.encoding.ranked)
        self.latent = config.latent_dim + ranked

        def network(size: int, out: int, name: str) -> Any:
            hidden = [layers.Dense(config.hidden, "relu") for _ in range(2)]
            return keras.Sequential([keras.Input((size,)), *hidden, layers.Dense(out)], name=name)

        self.encoder = network(width, 2 * config.latent_dim, "encoder")
        self.decoder = network(config.latent_dim, width + ranked, "decoder")
        adam = keras.optimizers.Adam(config.learning_rate)
        self.add_optimizer("networks", adam, self.encoder, self.decoder)

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "within": rng.random((n, len(self.encoding.ranked)), dtype=np.float32),
            "z": rng.standard_normal((n, self.config.latent_dim), dtype=np.float32),
        }

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        loss, logs = minimize("networks", self.loss, batch)
        return {"loss": loss, **logs}

    def loss(self, batch: Any) -> Any:
        """Return the mean negative evidence lower bound, what is rebuilt weighed, in nats."""
        encoding = self.encoding
        numbers = encoding.encode(batch[CODES], batch["within"])
        mean, log_variance = ops.split(self.encoder(numbers), 2, axis=1)
        z = mean + ops.exp(0.5 * log_variance) * batch["z"]
        logits, centre, spread = self._decoded(z)
        real = encoding.split(numbers)
        rebuilt = 0.0
        for own, there in zip(encoding.split(logits), real, strict=True):
            rebuilt += ops.logsumexp(own, axis=1) - ops.sum(own * there, axis=1)
        if encoding.ranked:
            off = (numbers[:, encoding.one_hot :] - centre) / spread
            rebuilt += ops.sum(0.5 * ops.square(off) + ops.log(spread), axis=1)
        rebuilt, prior = ops.mean(rebuilt), ops.mean(kl_to_standard_normal(mean, log_variance))
        return self.config.rebuilt_weight * rebuilt + prior, {"rebuilt": rebuilt, "kl": prior}

    def rows(self, uniform: Any, shares: list[Any] | None) -> tuple[Any, Any, Any]:  # noqa: ARG002
        numbers = normal(uniform)
        latent = self.config.latent_dim
        logits, centre, spread = self._decoded(numbers[:, :latent])
        return self.encoding.chances(logits), centre + spread * numbers[:, latent:], 0.0

    def _decoded(self, z: Any) -> tuple[Any, Any, Any]:
        """Return logits of modes, and where positions are and how far they spread."""
        one_hot, width = self.encoding.one_hot, self.encoding.width
        out = self.decoder(z)
        spread = ops.softplus(out[:, width:]) + _LEAST_SPREAD
        return out[:, :one_hot], ops.tanh(out[:, one_hot:width]), spread
