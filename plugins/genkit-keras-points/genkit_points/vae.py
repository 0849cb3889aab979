"""A variational autoencoder of points."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

import genkit
from genkit.layers import rescale
from genkit.losses import gaussian_nll, kl_to_standard_normal
from genkit_points.configs import PointsVAEConfig
from genkit_points.networks import INSIDE, LATENT_FREQUENCY, class_count, dense, limits


class PointsVAE(genkit.Autoencoder):
    """An encoder to a normal latent and a decoder back, trained on the evidence lower bound.

    Kingma and Welling 2014, equation 10 with one sample. The decoder gives where a point is and
    how far around, the standard deviation of a normal density; generation draws from that. It
    begins wide: the latent finds its form before details matter.

    Args:
        config: see ``genkit info points-vae``.
        schema: data with points and, if ``conditional``, labels.
    """

    config: PointsVAEConfig
    schema: genkit.Schema

    def __init__(self, config: PointsVAEConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.limits = limits(schema)
        self.conditional = config.conditional
        classes = class_count(schema, config.conditional)
        latent = config.latent_dim
        self.encoder = dense("encoder", 2, 2 * latent, config.hidden, classes=classes)
        self.decoder = dense(
            "decoder", latent, 3, config.hidden, frequency=LATENT_FREQUENCY, classes=classes
        )
        adam = keras.optimizers.Adam(config.learning_rate)
        self.add_optimizer("vae", adam, self.encoder, self.decoder)

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {
            "z": rng.standard_normal((n, self.config.latent_dim), dtype="float32"),
            "around": rng.standard_normal((n, 2), dtype="float32"),
        }

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:  # noqa: ARG002
        # With the whole weight from the start the latent would be given up before it is of use.
        share = min(1.0, step / max(1, self.config.kl_warmup_steps))
        return {"kl_weight": self.config.kl_weight * share}

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        loss, logs = minimize("vae", self.loss, batch)
        return {"loss": loss, **logs}

    def loss(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the negative evidence lower bound and its two terms, in nats per point."""
        points = rescale(batch["points"], self.limits, INSIDE)
        label = batch["label"] if self.conditional else None
        middle, log_variance = ops.split(self.encoder(_inputs(points, label)), 2, axis=-1)
        z = middle + ops.exp(0.5 * log_variance) * batch["z"]
        mean, scale = self._decoded(z, label)
        nll = gaussian_nll(points / scale, mean / scale, 1.0) + 2 * ops.log(scale[:, 0])
        reconstruction = ops.mean(nll)
        kl = ops.mean(kl_to_standard_normal(middle, log_variance))
        loss = reconstruction + batch["kl_weight"] * kl
        return loss, {"reconstruction_loss": reconstruction, "kl_loss": kl}

    def decode(self, z: Any, around: Any, label: Any = None) -> Any:
        mean, scale = self._decoded(z, label)
        return self._points(mean + scale * around)

    def to_latent(self, items: Any, label: Any = None) -> Any:
        points = rescale(items, self.limits, INSIDE)
        return ops.split(self.encoder(_inputs(points, label)), 2, axis=-1)[0]

    def from_latent(self, latent: Any, label: Any = None) -> Any:
        return self._points(self._decoded(latent, label)[0])

    def _decoded(self, z: Any, label: Any) -> tuple[Any, Any]:
        """Return mean ``(batch, 2)`` and standard deviation ``(batch, 1)`` of the points."""
        outputs = self.decoder(_inputs(z, label))
        return outputs[:, :2], self.config.least_scale + ops.softplus(outputs[:, 2:])

    def _points(self, inside: Any) -> Any:
        return rescale(ops.clip(inside, *INSIDE), INSIDE, self.limits)


def _inputs(x: Any, label: Any) -> Any:
    return x if label is None else [x, label]
