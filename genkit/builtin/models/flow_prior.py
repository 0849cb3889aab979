"""A flow from noise to an autoencoder's latents: what generation draws them from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from keras import layers, ops

from genkit.builtin.models.guidance import guided
from genkit.engine import loop

if TYPE_CHECKING:
    from genkit.builtin.models.vae_configs import VAEConfig

_RADIANS = np.array([1, 3, 9, 27], np.float32)  # a unit of time; latents are smooth in it


class FlowPrior(layers.Layer):
    """A velocity that carries noise to latents along straight lines.

    Flow matching (see ``FlowMatching``) on vectors. A second stage that learns what the encoder
    makes of the data, instead of what the loss wishes it made, is the idea of Dai and Wipf 2019,
    "Diagnosing and Enhancing VAE Models", section 4.

    Args:
        config: length of the latents, width and depth of the network.
        classes: how many labels there are; 0 for none. Label number ``classes`` means no label.
    """

    def __init__(self, config: VAEConfig, classes: int) -> None:
        super().__init__(name="prior")
        width = config.prior_width
        self.no_label = classes
        self.enter = layers.Dense(width)
        self.time = layers.Dense(width)
        self.label = layers.Embedding(classes + 1, width) if classes else None
        self.blocks = [Block(width) for _ in range(config.prior_layers)]
        self.normalization = layers.LayerNormalization()
        self.leave = layers.Dense(config.latent_dim, kernel_initializer="zeros", dtype="float32")
        label = [ops.zeros((1,), "int32")] if classes else []
        self([ops.zeros((1, config.latent_dim)), ops.zeros((1,)), *label])  # builds it

    def call(self, inputs: list[Any]) -> Any:
        """Return the velocity at places on the way from noise to latents.

        Args:
            inputs: the places ``(batch, latent_dim)``, the times ``(batch,)`` in [0, 1] and, with
                classes, labels ``(batch,)`` int32.

        Returns:
            float32 ``(batch, latent_dim)``.
        """
        place, time, *label = inputs
        angles = time[:, None] * ops.convert_to_tensor(_RADIANS)[None]
        known = self.time(ops.concatenate([ops.sin(angles), ops.cos(angles)], axis=1))
        if self.label is not None:
            known = known + self.label(label[0])
        x = self.enter(place) + known
        for block in self.blocks:
            x = block(x, known)
        return self.leave(self.normalization(x))

    def loss(self, latent: Any, noise: Any, time: Any, label: Any = None) -> Any:
        """Return the mean squared error of the velocity, per value.

        Args:
            latent: ``(batch, latent_dim)``.
            noise: standard normal, ``(batch, draws, latent_dim)``: each latent is learned from
                with several.
            time: in [0, 1), ``(batch, draws)``.
            label: int32 ``(batch, draws)``, or None.
        """
        start = ops.reshape(noise, (-1, latent.shape[-1]))
        end = ops.repeat(latent, noise.shape[1], axis=0)
        time = ops.reshape(time, (-1,))
        place = start + time[:, None] * (end - start)
        labels = [] if label is None else [ops.reshape(label, (-1,))]
        return ops.mean(ops.square(self([place, time, *labels]) - (end - start)))

    def draw(self, noise: Any, label: Any, guidance: Any, steps: int) -> Any:
        """Carry noise to latents, in steps of equal length (Euler).

        Args:
            noise: standard normal, ``(batch, latent_dim)``.
            label: int32 ``(batch,)``, or None.
            guidance: how far labels push; see ``guided``.
            steps: how many.
        """

        def step(number: Any, x: Any) -> Any:
            times = ops.cast(number, "float32") / steps * ops.ones_like(x[:, 0])
            velocity = guided(self, x, times, label, no_label=self.no_label, guidance=guidance)
            return x + velocity / steps

        return loop(step, noise, steps)


class Block(layers.Layer):
    """Add to ``x`` what two dense layers make of it and of what the network is told."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.normalization = layers.LayerNormalization()
        self.known = layers.Dense(width)
        self.first = layers.Dense(2 * width, activation="silu")
        self.second = layers.Dense(width, kernel_initializer="zeros")

    def call(self, x: Any, known: Any) -> Any:
        inside = self.normalization(x) + self.known(ops.silu(known))
        return x + self.second(self.first(inside))
