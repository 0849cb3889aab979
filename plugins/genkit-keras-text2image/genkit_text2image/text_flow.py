"""The model ``text-flow``: a flow from noise to an autoencoder's latents, by caption."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit import loop
from genkit.engine import workers
from genkit.layers import rescale
from genkit_text2image.configs import TextFlowConfig
from genkit_text2image.picture_networks import build_decoder, build_encoder, picture_shape
from genkit_text2image.prompted import PROMPT, Prompted
from genkit_text2image.source import caption_field
from genkit_text2image.two_stages import rate_of_stage, warn_of_one_stage
from genkit_text2image.velocity import Velocity
from genkit_text2image.words import NOTHING

_UNIT = (0.0, 1.0)
_USUAL_VARIANCE = 0.1  # of pictures in [0, 1]
_GRID_CHANNELS = 16  # where grids become vectors
_FOLLOWING = 0.02  # of the running mean and spread of latents
_AVERAGE = 0.99


class TextFlow(Prompted, genkit.Autoencoder):
    """Latent flow matching by caption, in two stages of one run.

    Stage one is a variational autoencoder with short latents (Kingma and Welling 2014), held to be
    normal but lightly. Stage two is a flow along straight lines (Liu et al. 2022; Lipman et al.
    2023) from noise to latents, which sees the caption (Rombach et al. 2022), hidden now and then
    for guidance. The flow is small and quick; what it draws is as sharp as the decoder.

    Args:
        config: its settings.
        schema: data of this plugin's data sets.
    """

    config: TextFlowConfig
    schema: genkit.Schema
    generation_batch = 16
    conditions = (PROMPT,)

    def __init__(self, config: TextFlowConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.image, self.caption = schema.name_of("image"), caption_field(schema)
        shape = picture_shape(schema, config.halvings)
        self.limits = schema[self.image].range or _UNIT
        self.encoder, self.decoder = _picture_networks(shape, config)
        limits = schema[self.caption].range
        assert limits is not None, "a field with a vocabulary has a range"
        self.velocity = Velocity(config, int(limits[1]) + 1, self.longest)
        self.latent_mean = self.add_state("latent_mean", (config.latent_dim,))
        self.latent_square = self.add_state("latent_square", (config.latent_dim,), initial=1.0)
        adam = keras.optimizers.Adam(config.picture_learning_rate)
        self.add_optimizer("pictures", adam, self.encoder, self.decoder)
        averaging = keras.optimizers.Adam(config.learning_rate, use_ema=True, ema_momentum=_AVERAGE)
        self.add_optimizer("flow", averaging, self.velocity)

    def schedule(self, step: int, total: float = math.inf) -> dict[str, Any]:
        warn_of_one_stage(step, total, self.config.first_stage)
        return {"learns_pictures": step < self.config.first_stage}

    def learning_rate_factors(self, step: int, total: float) -> dict[str, float]:
        first = self.config.first_stage
        if step < first:
            return {"pictures": rate_of_stage(step, first)}
        return {"flow": rate_of_stage(step - first, total - first)}

    def noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        return {"noise": rng.standard_normal((n, self.config.latent_dim), dtype="float32")}

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        shape = (n, self.config.draws)
        return {
            **self.noise(rng, n),
            "start": rng.standard_normal((*shape, self.config.latent_dim), dtype="float32"),
            "time": rng.random(shape, dtype="float32"),
            "hide": rng.random(shape, dtype="float32"),
        }

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        if batch["learns_pictures"]:
            loss, logs = minimize("pictures", self.picture_loss, batch)
            return {"picture_loss": loss, **logs}
        mean, log_variance = self._posterior(batch[self.image])
        latent = ops.stop_gradient(mean + ops.exp(0.5 * log_variance) * batch["noise"])
        loss, _ = minimize("flow", self.flow_loss, self._normal(latent), batch)
        return {"flow_loss": loss}

    def picture_loss(self, batch: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return the loss of stage one and its parts; the latents' mean and spread are followed."""
        mean, log_variance = self._posterior(batch[self.image])
        latent = mean + ops.exp(0.5 * log_variance) * batch["noise"]
        pictures = rescale(batch[self.image], self.limits, _UNIT)
        error = ops.mean(ops.square(pictures - self.decoder(latent))) / _USUAL_VARIANCE
        divergence = 0.5 * ops.mean(ops.square(mean) + ops.exp(log_variance) - log_variance - 1.0)
        seen = ops.stop_gradient(latent)
        own = [ops.mean(seen, axis=0), ops.mean(ops.square(seen), axis=0)]
        for state, now in zip(
            (self.latent_mean, self.latent_square), workers().mean(own), strict=True
        ):
            state.assign(state + _FOLLOWING * (now - state))
        loss = error + self.config.kl_weight * divergence
        return loss, {"picture_error": error, "divergence": divergence}

    def flow_loss(self, latent: Any, batch: dict[str, Any]) -> Any:
        """Return the mean squared error of velocities, for normalised latents."""
        start = ops.reshape(batch["start"], (-1, self.config.latent_dim))
        end = ops.repeat(latent, self.config.draws, axis=0)
        time = ops.reshape(batch["time"], (-1,))
        caption = ops.repeat(batch[self.caption], self.config.draws, axis=0)
        hidden = ops.reshape(batch["hide"], (-1, 1)) < self.config.caption_dropout
        caption = ops.where(hidden, NOTHING, caption)
        place = start + time[:, None] * (end - start)
        return ops.mean(ops.square(self.velocity(place, time, caption) - (end - start)))

    def decode(
        self, noise: Any, prompt: Any, guidance: Any = None, sampling_steps: int | None = None
    ) -> Any:
        pushed = self.config.guidance if guidance is None else guidance
        steps = sampling_steps or self.config.sampling_steps
        both = ops.concatenate([prompt, NOTHING * ops.ones_like(prompt)], axis=0)

        def step(number: Any, x: Any) -> Any:
            time = ops.cast(number, "float32") / steps * ops.ones_like(both[:, 0], "float32")
            answers = self.velocity(ops.concatenate([x, x], axis=0), time, both)
            with_prompt, without = ops.split(answers, 2, axis=0)
            return x + (without + pushed * (with_prompt - without)) / steps

        return self.from_latent(self._own(loop(step, noise, steps)))

    def to_latent(self, items: Any, label: Any = None) -> Any:  # noqa: ARG002
        return self._posterior(items)[0]

    def from_latent(self, latent: Any, label: Any = None) -> Any:  # noqa: ARG002
        return rescale(ops.clip(self.decoder(latent), *_UNIT), _UNIT, self.limits)

    def _posterior(self, images: Any) -> tuple[Any, Any]:
        """Return mean and log variance of the latents of pictures in the data's range."""
        return tuple(ops.split(self.encoder(rescale(images, self.limits, _UNIT)), 2, axis=-1))

    def _spread(self) -> Any:
        mean = ops.convert_to_tensor(self.latent_mean)
        variance = ops.convert_to_tensor(self.latent_square) - ops.square(mean)
        return ops.sqrt(ops.maximum(variance, 1e-4))

    def _normal(self, latent: Any) -> Any:
        """Return latents with mean 0 and spread 1, by number."""
        return (latent - ops.convert_to_tensor(self.latent_mean)) / self._spread()

    def _own(self, normal: Any) -> Any:
        """Return latents as the decoder takes them, of normalised ones."""
        return normal * self._spread() + ops.convert_to_tensor(self.latent_mean)


def _picture_networks(shape: tuple[int, int, int], config: TextFlowConfig) -> tuple[Any, Any]:
    """Build the ways from pictures in [0, 1] to ``(batch, 2 * latent_dim)``, and back from half."""
    sizes = (config.picture_width, config.halvings, config.residual_blocks)
    to_grid = build_encoder(shape, *sizes, _GRID_CHANNELS)
    from_grid = build_decoder(shape, *sizes, _GRID_CHANNELS)
    grid = to_grid.output.shape[1:]
    picture = keras.Input(shape)
    flat = layers.Flatten()(to_grid(picture))
    encoder = keras.Model(picture, layers.Dense(2 * config.latent_dim, dtype="float32")(flat))
    latent = keras.Input((config.latent_dim,))
    wide = layers.Dense(math.prod(grid), activation="relu")(latent)
    decoder = keras.Model(latent, from_grid(layers.Reshape(grid)(wide)))
    return encoder, decoder
