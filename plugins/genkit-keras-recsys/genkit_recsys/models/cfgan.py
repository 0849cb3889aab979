"""CFGAN: a generator of whole histories against a discriminator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit_recsys.model_settings import CFGANConfig
from genkit_recsys.models.recommender import Recommender


class CFGAN(Recommender):
    """A GAN that makes a user's whole vector of interactions, from those the user has.

    Chae et al. 2018, "CFGAN: A Generic Collaborative Filtering Framework based on Generative
    Adversarial Networks", with both remedies, ZP: of the items a user doesn't have, a part
    ``N_ZR`` is held at zero (equation 6) and another ``N_PM`` is shown to the discriminator beside
    those the user has, all others being masked (equations 4 and 5). Both parts are drawn anew for
    each step. The generator's adversarial loss is the non-saturating one.
    """

    batches_per_step = 2
    config: CFGANConfig
    rows: ClassVar = {
        "generator/layers/0/kernel": (0, "items"),
        "generator/layers/1/kernel": (1, "items"),
        "generator/layers/1/bias": (0, "items"),
        "discriminator/layers/2/kernel": (0, "items"),
        "discriminator/layers/3/kernel": (0, "items"),
    }

    def __init__(self, config: CFGANConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.generator = keras.Sequential(
            [
                keras.Input((self.n_items,)),
                layers.Dense(config.hidden_dim, "sigmoid"),
                layers.Dense(self.n_items, "sigmoid"),
            ]
        )
        had, shown = keras.Input((self.n_items,)), keras.Input((self.n_items,))
        # A dense layer on both side by side, each half with a row for each item.
        hidden = layers.Dense(config.discriminator_dim)(had)
        hidden = hidden + layers.Dense(config.discriminator_dim, use_bias=False)(shown)
        verdict = layers.Dense(1)(layers.Activation("sigmoid")(hidden))
        self.discriminator = keras.Model([had, shown], verdict)
        adam = keras.optimizers.Adam
        self.add_optimizer("generator", adam(config.learning_rate), self.generator)
        self.add_optimizer(
            "discriminator", adam(config.discriminator_learning_rate), self.discriminator
        )

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "zero_lot": rng.random((n, self.n_items), dtype="float32"),
            "mask_lot": rng.random((n, self.n_items), dtype="float32"),
        }

    def _shown(self, batch: dict[str, Any]) -> tuple[Any, Any]:
        """Return what the user has, and what the discriminator may see of what is generated."""
        had = self.dense_histories(batch)
        lucky = ops.cast(batch["mask_lot"] < self.config.masked_share, "float32")
        mask = ops.maximum(had, lucky)
        return had, self.generator(had) * mask

    def discriminator_loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean binary cross-entropy over real and generated vectors."""
        had, made = self._shown(batch)
        real = self.discriminator([had, had])
        fake = self.discriminator([had, ops.stop_gradient(made)])
        return ops.mean(ops.softplus(-real)) + ops.mean(ops.softplus(fake))

    def generator_loss(self, batch: dict[str, Any]) -> Any:
        """Return the adversarial loss and the weighted squares of what should be zero."""
        had, shown = self._shown(batch)
        fake = self.discriminator([had, shown])
        adversarial = ops.mean(ops.softplus(-fake))
        lucky = ops.cast(batch["zero_lot"] < self.config.zero_share, "float32")
        zeros = lucky * (1.0 - had)
        squares = ops.mean(ops.sum(ops.square(self.generator(had)) * zeros, axis=-1))
        return adversarial + self.config.zero_reconstruction * squares, {"zeros": squares}

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        first, second = batch
        d_loss, _ = minimize("discriminator", self.discriminator_loss, first)
        g_loss, parts = minimize("generator", self.generator_loss, second)
        return {"d_loss": d_loss, "g_loss": g_loss, **parts}

    def score(self, history: Any) -> Any:
        """Score by what the generator makes, before the last sigmoid: of the same order."""
        hidden = self.generator.layers[0](history)
        last = self.generator.layers[1]
        return ops.matmul(hidden, last.kernel) + last.bias
