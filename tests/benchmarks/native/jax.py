"""JAX by hand: pure functions over trees of arrays, one jitted step that is given its state."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np
from jax import numpy as jnp

from genkit.engine.jax import compiler_options
from tests.benchmarks.native.interface import Native
from tests.benchmarks.native.jax_layers import Layer, Layers, batch_norm_and_leaky_relu
from tests.benchmarks.native.start import (
    ADAM,
    LEAKY_SLOPE,
    PENALTY,
    Adam,
    layer_weights,
    refuse_unknown,
)

STATISTICS = ("moving_mean", "moving_variance")

Batch = dict[str, jax.Array]
Weights = Any
"""The layers of a network, or of several by name."""


def make(
    case: str,
    precision: str,
    variant: str,
    weights: dict[str, np.ndarray],
    *,
    dropout: float = 0.3,
) -> Native:
    """Make the baseline of a case.

    Args:
        case: a key of ``ADAM``.
        precision: ``float32``, or ``bfloat16`` for mixed precision.
        variant: one of ``variants("jax", case)``.
        weights: initial weights of the GenKit model by structure key.
        dropout: rate in the discriminator of ``dcgan``.
    """
    refuse_unknown("jax", case, variant)
    kinds = {"vae": _VAE, "mlp-gan": _MLPGAN, "wgan-gp": _WGANGP}
    model = kinds.get(case, _GAN)(
        ADAM[case],
        Layers(jnp.dtype(precision), sub_pixel=variant == "jit sub-pixel"),
        dropout=0.0 if case == "wgan-gp" else dropout,
    )
    # Who rewrites convolutions for XLA on CPUs will also have found the options that help there.
    return _Baseline(model, weights, compiler_options() if "sub-pixel" in variant else {})


class _Baseline:
    """Holds what the compiled functions of a model pass on: weights, moments, random key."""

    def __init__(
        self, model: _Model, weights: dict[str, np.ndarray], options: dict[str, str]
    ) -> None:
        # A copy, since the first step may overwrite it.
        self._state = jax.device_put(model.start(weights), may_alias=False)
        self._step = jax.jit(model.step, donate_argnums=0, compiler_options=options)
        self._images = jax.jit(model.images, compiler_options=options)

    def step(self, batch: dict[str, np.ndarray]) -> dict[str, jax.Array]:
        self._state, losses = self._step(self._state, batch)
        return losses

    def decode(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(self._images(self._state, z))

    def synchronize(self) -> None:
        jax.block_until_ready(self._state)


class Trained(NamedTuple):
    """Weights with what Adam knows of them."""

    weights: Weights
    mean: Weights
    square: Weights
    step: jax.Array

    @classmethod
    def start(cls, weights: Weights) -> Trained:
        """Begin with no moments."""
        zeros = partial(jax.tree.map, np.zeros_like)
        return cls(weights, zeros(weights), zeros(weights), np.float32(0))

    def update(self, adam: Adam, gradients: Weights) -> Trained:
        """Do one update (Kingma and Ba 2015, with the reordering at the end of section 2)."""
        step = self.step + 1
        rate = adam.learning_rate * jnp.sqrt(1 - adam.beta_2**step) / (1 - adam.beta_1**step)
        mean = jax.tree.map(lambda m, g: m + (1 - adam.beta_1) * (g - m), self.mean, gradients)
        square = jax.tree.map(
            lambda v, g: v + (1 - adam.beta_2) * (g * g - v), self.square, gradients
        )
        weights = jax.tree.map(
            lambda w, m, v: w - rate * m / (jnp.sqrt(v) + adam.epsilon), self.weights, mean, square
        )
        return Trained(weights, mean, square, step)


@dataclass(frozen=True)
class _Model(abc.ABC):
    """Pure functions of a model's state.

    Args:
        adam: settings of the optimizer.
        layers: what the networks are made of.
        dropout: rate in the discriminator.
    """

    adam: Adam
    layers: Layers
    dropout: float

    @abc.abstractmethod
    def start(self, weights: dict[str, np.ndarray]) -> Any:
        """Return the first state."""

    @abc.abstractmethod
    def step(self, state: Any, batch: Batch) -> tuple[Any, dict[str, jax.Array]]:
        """Return the next state and the losses."""

    @abc.abstractmethod
    def images(self, state: Any, z: jax.Array) -> jax.Array:
        """Return images in [0, 255]."""


class _GANState(NamedTuple):
    """What a GAN's step passes on; ``statistics`` are those of the generator's batch norms."""

    generator: Trained
    discriminator: Trained
    statistics: list[Layer]
    key: jax.Array


class _GAN(_Model):
    """Goodfellow et al. 2014, non-saturating: the discriminator's update, then the generator's."""

    def start(self, weights: dict[str, np.ndarray]) -> _GANState:
        generator = layer_weights(weights, "generator")
        return _GANState(
            Trained.start([_only(layer, statistics=False) for layer in generator]),
            Trained.start(layer_weights(weights, "discriminator")),
            [_only(layer, statistics=True) for layer in generator if "gamma" in layer],
            jax.random.key(0),
        )

    def step(self, state: _GANState, batch: Batch) -> tuple[_GANState, dict[str, jax.Array]]:
        key, d_key, g_key = jax.random.split(state.key, 3)
        batch = {**batch, "image": batch["image"].astype(jnp.float32) * (2 / 255) - 1}

        fake, statistics = self.generate(state.generator.weights, batch["z"], state.statistics)
        d_loss, gradients = jax.value_and_grad(self.discriminator_loss)(
            state.discriminator.weights, fake, batch, d_key
        )
        discriminator = state.discriminator.update(self.adam, gradients)

        def generator_loss(weights: Weights) -> tuple[jax.Array, list[Layer]]:
            fake, new_statistics = self.generate(weights, batch["z"], statistics)
            logits = self.discriminate(discriminator.weights, fake, g_key)
            return self.generator_loss(logits), new_statistics

        (g_loss, statistics), gradients = jax.value_and_grad(generator_loss, has_aux=True)(
            state.generator.weights
        )
        generator = state.generator.update(self.adam, gradients)
        losses = {"d_loss": d_loss, "g_loss": g_loss}
        return _GANState(generator, discriminator, statistics, key), losses

    def discriminator_loss(
        self, weights: Weights, fake: jax.Array, batch: Batch, key: jax.Array
    ) -> jax.Array:
        real_key, fake_key = jax.random.split(key)
        real_logits = self.discriminate(weights, batch["image"], real_key)
        fake_logits = self.discriminate(weights, fake, fake_key)
        return jax.nn.softplus(-real_logits).mean() + jax.nn.softplus(fake_logits).mean()

    def generator_loss(self, logits: jax.Array) -> jax.Array:
        return jax.nn.softplus(-logits).mean()

    def images(self, state: _GANState, z: jax.Array) -> jax.Array:
        fake, _ = self.generate(state.generator.weights, z, state.statistics, training=False)
        return (fake + 1) * 127.5

    def generate(
        self, weights: Weights, z: jax.Array, statistics: list[Layer], *, training: bool = True
    ) -> tuple[jax.Array, list[Layer]]:
        """Return images in [-1, 1] and the batch norms' statistics after them."""
        dense, norm, up, up_norm, full, full_norm, last = weights
        norm_and_relu = partial(batch_norm_and_leaky_relu, training=training)
        x, first = norm_and_relu(self.layers.dense(z, dense), norm, statistics[0])
        x = self.layers.upsample(x.reshape(-1, 7, 7, 256), up)
        x, second = norm_and_relu(x, up_norm, statistics[1])
        x, third = norm_and_relu(self.layers.upsample(x, full), full_norm, statistics[2])
        x = self.layers.conv(x, last)
        return jnp.tanh(x.astype(jnp.float32)), [first, second, third]

    def discriminate(self, weights: Weights, x: jax.Array, key: jax.Array) -> jax.Array:
        *convolutions, last = weights
        for layer, layer_key in zip(convolutions, jax.random.split(key), strict=True):
            x = jax.nn.leaky_relu(self.layers.downsample(x, layer), LEAKY_SLOPE)
            if self.dropout:
                kept = jax.random.bernoulli(layer_key, 1 - self.dropout, x.shape)
                x = jnp.where(kept, x / (1 - self.dropout), 0)
        return self.layers.dense(x.reshape(len(x), -1), last, jnp.float32)


class _MLPGAN(_GAN):
    """The same with two dense networks."""

    def generate(
        self, weights: Weights, z: jax.Array, statistics: list[Layer], *, training: bool = True
    ) -> tuple[jax.Array, list[Layer]]:
        del training  # nothing here depends on it
        *hidden, last = weights
        for layer in hidden:
            z = jax.nn.relu(self.layers.dense(z, layer))
        images = self.layers.dense(z, last).reshape(-1, 28, 28, 1)
        return jnp.tanh(images.astype(jnp.float32)), statistics

    def discriminate(self, weights: Weights, x: jax.Array, key: jax.Array) -> jax.Array:
        del key
        *hidden, last = weights
        x = x.reshape(len(x), -1)
        for layer in hidden:
            x = jax.nn.relu(self.layers.dense(x, layer))
        return self.layers.dense(x, last, jnp.float32)


class _WGANGP(_GAN):
    """Gulrajani et al. 2017, one critic update a step."""

    def discriminator_loss(
        self, weights: Weights, fake: jax.Array, batch: Batch, key: jax.Array
    ) -> jax.Array:
        critic = partial(self.discriminate, weights, key=key)
        between = batch["mix"] * batch["image"] + (1 - batch["mix"]) * fake
        slope = jax.grad(lambda x: critic(x).sum())(between)
        norm = jnp.sqrt(jnp.square(slope).sum(axis=(1, 2, 3)) + 1e-12)
        penalty = PENALTY * jnp.square(norm - 1).mean()
        return critic(fake).mean() - critic(batch["image"]).mean() + penalty

    def generator_loss(self, logits: jax.Array) -> jax.Array:
        return -logits.mean()


class _VAE(_Model):
    """Kingma and Welling 2014, with Bernoulli pixels."""

    def start(self, weights: dict[str, np.ndarray]) -> Trained:
        return Trained.start(
            {name: layer_weights(weights, name) for name in ("encoder", "decoder")}
        )

    def step(self, state: Trained, batch: Batch) -> tuple[Trained, dict[str, jax.Array]]:
        (loss, terms), gradients = jax.value_and_grad(self.loss, has_aux=True)(state.weights, batch)
        return state.update(self.adam, gradients), {"loss": loss, **terms}

    def loss(self, weights: Weights, batch: Batch) -> tuple[jax.Array, dict[str, jax.Array]]:
        image = batch["image"].astype(jnp.float32) / 255
        mean, log_variance = jnp.split(self.encode(weights["encoder"], image), 2, axis=1)
        logits = self.logits(weights["decoder"], mean + jnp.exp(log_variance / 2) * batch["z"])
        nll = (jax.nn.softplus(logits) - image * logits).sum(axis=(1, 2, 3)).mean()
        kl = jnp.square(mean) + jnp.exp(log_variance) - 1 - log_variance
        kl = 0.5 * kl.sum(axis=1).mean()
        return nll + kl, {"reconstruction_loss": nll, "kl_loss": kl}

    def images(self, state: Trained, z: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(self.logits(state.weights["decoder"], z)) * 255

    def encode(self, weights: Weights, x: jax.Array) -> jax.Array:
        half, quarter, hidden, last = weights
        x = jax.nn.relu(self.layers.downsample(x, half))
        x = jax.nn.relu(self.layers.downsample(x, quarter))
        x = jax.nn.relu(self.layers.dense(x.reshape(len(x), -1), hidden))
        return self.layers.dense(x, last, jnp.float32)

    def logits(self, weights: Weights, z: jax.Array) -> jax.Array:
        hidden, dense, up, full, last = weights
        x = jax.nn.relu(self.layers.dense(jax.nn.relu(self.layers.dense(z, hidden)), dense))
        x = jax.nn.relu(self.layers.upsample(x.reshape(-1, 7, 7, 64), up))
        return self.layers.conv(jax.nn.relu(self.layers.upsample(x, full)), last, dtype=jnp.float32)


def _only(layer: Layer, *, statistics: bool) -> Layer:
    return {name: array for name, array in layer.items() if (name in STATISTICS) == statistics}
