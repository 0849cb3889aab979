"""A denoising diffusion model of tables."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit_tabular.configs import TableDDPMConfig
from genkit_tabular.encoded import CODES
from genkit_tabular.models.factored import FactoredModel, normal
from genkit_tabular.models.modes import Modes
from genkit_tabular.models.multinomial import Multinomial

_WAVES = 64  # sines, and as many cosines, that tell the network the amount of noise
_EDGE = 1e-6  # between a position and the end of its mode, whose normal number is infinite


class TableDDPM(FactoredModel):
    """A network that tells rows from their noise: Gaussian of positions, multinomial of modes.

    Kotelnikov et al. 2023, "TabDDPM: Modelling Tabular Data with Diffusion Models". Other than
    there, numbers are a mode and a position in it, whose rank is made normal; the target is a
    column as others are; the network tells the velocity (Salimans and Ho 2022), from which the
    noise follows without a division; and positions go back without noise, in strides.

    Args:
        config: see ``genkit info tab-ddpm``.
        schema: of a table.
    """

    generation_batch = 1024  # a row takes fifty times as long as other models' do

    config: TableDDPMConfig

    def make(self) -> None:
        super().make()
        encoding, config = self.encoding, self.config
        self.multinomial = Multinomial(encoding, [each.codec.counts for each in self.learned])
        self.kept = kept_shares(config.noise_steps)
        strides = np.arange(config.sampling_steps, -1, -1) / config.sampling_steps
        self.times = np.ceil(strides * config.noise_steps).astype(np.int32)
        columns, ranked = len(self.learned), len(encoding.ranked)
        self.latent = ranked + columns * config.sampling_steps
        self.network = _network(config, encoding.width)
        adam = keras.optimizers.Adam(config.learning_rate)
        self.add_optimizer("network", adam, self.network)

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        columns, ranked = len(self.learned), len(self.encoding.ranked)
        # Amounts of noise are spread evenly over a batch.
        amounts = (rng.permutation(n) + rng.random(n)) / n * self.config.noise_steps
        return {
            "time": 1 + np.minimum(amounts, self.config.noise_steps - 1).astype(np.int32),
            "within": rng.random((n, ranked), dtype=np.float32),
            "noise": rng.standard_normal((n, ranked), dtype=np.float32),
            "luck": rng.random((n, columns), dtype=np.float32),
            "other": rng.random((n, columns), dtype=np.float32),
        }

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        loss, logs = minimize("network", self.loss, batch)
        return {"loss": loss, **logs}

    def loss(self, batch: Any) -> Any:
        """Return the mean error of positions and the mean surprise of a column's modes, summed."""
        encoding, time = self.encoding, batch["time"]
        numbers = encoding.encode(batch[CODES], batch["within"])
        modes, positions = numbers[:, : encoding.one_hot], numbers[:, encoding.one_hot :]
        kept, before = (self._kept(each)[:, None] for each in (time, time - 1))
        seen = self.multinomial.noised(modes, kept, batch["luck"], batch["other"])
        clean = normal(0.5 + (0.5 - _EDGE) * positions)
        signal, share = ops.sqrt(kept), ops.sqrt(1.0 - kept)
        chances, velocity = self._told(seen, signal * clean + share * batch["noise"], time)
        surprise = self.multinomial.surprise(modes, chances, seen, kept, before)
        named = ops.mean(surprise) * (self.config.noise_steps / len(self.learned))
        if not encoding.ranked:
            return named, {"modes": named}
        off = ops.mean(ops.square(velocity - (signal * batch["noise"] - share * clean)))
        return named + off, {"modes": named, "positions": off}

    def rows(self, uniform: Any, shares: list[Any] | None) -> tuple[Any, Any, Any]:
        columns, ranked = len(self.learned), len(self.encoding.ranked)
        asked = self._asked_modes(shares) if shares else None
        draws = ops.reshape(uniform[:, ranked:], (-1, self.config.sampling_steps, columns))
        times = ops.convert_to_tensor(self.times)

        def step(number: Any, state: Any) -> Any:
            time, next_ = ops.take(times, number), ops.take(times, number + 1)
            kept, before = (ops.reshape(self._kept(each), (1, 1)) for each in (time, next_))
            seen, x = state["modes"], state["positions"]
            chances, velocity = self._told(seen, x, ops.reshape(time, (1,)))
            uniform = ops.take(draws, number + 1, axis=1)
            modes, weight = self.multinomial.back(chances, asked, seen, kept, before, uniform)
            clean = ops.sqrt(kept) * x - ops.sqrt(1.0 - kept) * velocity
            noise = ops.sqrt(1.0 - kept) * x + ops.sqrt(kept) * velocity
            x = ops.sqrt(before) * clean + ops.sqrt(1.0 - before) * noise
            return {"modes": modes, "positions": x, "weight": state["weight"] + weight}

        start = {
            "modes": self.multinomial.any_modes(draws[:, 0]),
            "positions": normal(uniform[:, :ranked]),
            "weight": ops.zeros_like(uniform[:, 0]),
        }
        last = self.config.sampling_steps - 1
        state = genkit.loop(step, start, last)
        time = ops.reshape(times[last], (1,))
        chances, velocity = self._told(state["modes"], state["positions"], time)
        kept = ops.reshape(self._kept(time), (1, 1))
        clean = ops.sqrt(kept) * state["positions"] - ops.sqrt(1.0 - kept) * velocity
        return chances, ops.erf(clean / math.sqrt(2.0)), state["weight"]

    def _kept(self, time: Any) -> Any:
        """Return what share of a row is left after so many steps of noise."""
        return ops.take(ops.convert_to_tensor(self.kept), time)

    def _told(self, modes: Any, positions: Any, time: Any) -> tuple[Any, Any]:
        """Return how likely modes are the ones without noise, and the velocity of positions.

        Args:
            modes: one-hot, shape ``(n, one_hot)``.
            positions: as normal numbers, shape ``(n, ranked columns)``.
            time: steps of noise, int32 of shape ``(n,)`` or ``(1,)``.
        """
        row = ops.concatenate([modes, positions], axis=1)
        told = ops.cast(self.network([row, self._waves(time)]), "float32")
        one_hot, kept = self.encoding.one_hot, self._kept(time)[:, None]
        return self.multinomial.chances(told[:, :one_hot], modes, kept), told[:, one_hot:]

    def _waves(self, time: Any) -> Any:
        """Return times as sines and cosines of many lengths, shape ``(n, 2 * _WAVES)``."""
        speeds = np.exp(-math.log(10_000) * np.arange(_WAVES) / _WAVES).astype(np.float32)
        scaled = ops.cast(time, "float32") * (1000.0 / self.config.noise_steps)
        angles = scaled[:, None] * ops.convert_to_tensor(speeds)
        return ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=1)

    def _asked_modes(self, shares: list[Any] | None) -> Any:
        """Return how much of each mode is asked, shape ``(n, one_hot)``."""

        def of_modes(share: Any, each: Modes) -> Any:
            inside = each.of_code[:, None] == np.arange(each.size)
            weights = (inside * (each.high - each.low)[:, None]).astype(np.float32)
            return ops.matmul(share, ops.convert_to_tensor(weights)) if each.ranked else share

        parts = map(of_modes, shares, self.encoding.modes)
        return ops.concatenate(list(parts), axis=1)


def kept_shares(steps: int) -> np.ndarray:
    """Return what share of a row's variance is left after each number of steps of noise.

    Nichol and Dhariwal 2021, "Improved Denoising Diffusion Probabilistic Models", equation 17.

    Returns:
        float32 array of shape ``(steps + 1,)``, falling from 1, above 0.
    """
    at = np.cos((np.arange(steps + 1) / steps + 0.008) / 1.008 * np.pi / 2) ** 2
    left = np.cumprod(np.maximum(at[1:] / at[:-1], 1e-3))
    return np.concatenate([[1.0], left]).astype(np.float32)


def _network(config: TableDDPMConfig, width: int) -> Any:
    """Build the network: a row and the amount of noise, joined as sums, through hidden layers."""
    row, time = keras.Input((width,), name="row"), keras.Input((2 * _WAVES,), name="time")
    size = 2 * _WAVES
    amount = layers.Dense(size)(layers.Dense(size, "silu")(time))
    x = layers.Dense(size)(row) + amount
    for _ in range(config.layers):
        x = layers.Dense(config.hidden, "relu")(x)
    return keras.Model([row, time], layers.Dense(width)(x), name="network")
