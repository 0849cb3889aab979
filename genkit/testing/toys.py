"""Toy models, to check trainers, metrics and callbacks with. Importing this needs a backend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from genkit.layers import rescale
from genkit.models.autoencoder import Autoencoder
from genkit.models.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.data import Source
    from genkit.plugins.specs import Schema

_LATENT = 4


class ToyModel(Autoencoder):
    """A linear autoencoder of images with an optimizer for each half.

    Args:
        config: not used.
        schema: data with an image field.
    """

    def __init__(self, config: Any, schema: Schema) -> None:
        super().__init__(config, schema)
        self.image = schema.name_of("image")
        shape = tuple(size or 1 for size in schema[self.image].shape)
        self.encoder = keras.Sequential(
            [keras.Input(shape), layers.Flatten(), layers.Dense(_LATENT)]
        )
        self.decoder = keras.Sequential(
            [
                keras.Input((_LATENT,)),
                layers.Dense(math.prod(shape), "sigmoid"),
                layers.Reshape(shape),
            ]
        )
        self.add_optimizer("encoder", keras.optimizers.Adam(1e-2), self.encoder)
        self.add_optimizer("decoder", keras.optimizers.Adam(1e-2), self.decoder)
        self.capabilities = ("generate", "reconstruct", "encode", "interpolate")

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"z": rng.standard_normal((n, _LATENT), dtype="float32")}

    def loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean squared error of noisy latents' images."""
        items = self._unit(batch[self.image])
        latent = self.encoder(items) + 0.1 * batch["z"]
        return ops.mean(ops.square(self.decoder(latent) - items))

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        minimize("encoder", self.loss, batch)
        loss, _ = minimize("decoder", self.loss, batch)
        return {"loss": loss}

    def decode(self, z: Any) -> Any:
        return self.from_latent(z)

    def to_latent(self, items: Any, label: Any = None) -> Any:  # noqa: ARG002
        return self.encoder(self._unit(items))

    def from_latent(self, latent: Any, label: Any = None) -> Any:  # noqa: ARG002
        return rescale(self.decoder(latent), (0.0, 1.0), self._range())

    def _unit(self, items: Any) -> Any:
        return rescale(ops.cast(items, "float32"), self._range(), (0.0, 1.0))

    def _range(self) -> tuple[float, float]:
        assert self.schema is not None, "a toy model is built from its schema"
        return self.schema[self.image].range or (0.0, 1.0)


class ToySolver(Model):
    """The mean image, for trainers of models that solve."""

    def __init__(self, config: Any, schema: Schema) -> None:
        super().__init__(config, schema)
        self.image = schema.name_of("image")
        shape = tuple(size or 1 for size in schema[self.image].shape)
        self.mean = self.add_weight(shape=shape, initializer="zeros", name="mean")

    def solve(self, source: Source) -> dict[str, float]:
        """Take the mean of all images."""
        images = source.gather(np.arange(len(source)))[self.image]
        self.mean.assign(images.mean(axis=0))
        return {"variance": float(images.var())}

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"z": rng.standard_normal((n, 1, 1, 1), dtype="float32")}

    def decode(self, z: Any) -> Any:
        return self.mean + 0.0 * z
