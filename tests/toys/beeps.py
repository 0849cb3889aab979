"""Sounds of varying length, and a model that generates such sounds."""

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.data import ColumnSource, Ragged, parse_transforms, transformed

RATE, LONGEST = 8000, 300
SEEN, LATENT, NOISE = 64, 2, 0.05


def open_beeps(config):
    """Open the tones: the field ``sound``, samples from -1 to 1 at 8,000 a second."""
    rng = np.random.default_rng(config.split == "test")
    items = []
    for length in rng.integers(4, LONGEST, 100)[: config.limit]:
        turn = 2 * np.pi * rng.uniform(200, 2000) / RATE
        items.append(np.sin(turn * np.arange(length)).astype("float32"))
    field = genkit.Field((None,), "float32", "audio", (-1, 1), rate=RATE)
    sounds = ColumnSource({"sound": Ragged.of(items, "float32")}, genkit.Schema({"sound": field}))
    return transformed(sounds, parse_transforms(config.transforms))


class Chime(genkit.Model):
    """A VAE of tones: its latent says how a sample follows from the two before, and how long.

    Each tone keeps to ``x[t] = 2 cos(turn) x[t - 1] - x[t - 2]``, so that its error in guessing the
    next sample teaches the turn, whatever the phase.
    """

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.sound = schema.name_of("audio")
        self.peak = (schema[self.sound].range or (-1, 1))[1]
        hidden = 4 * config.width
        self.encoder = keras.Sequential(
            [keras.Input((SEEN + 1,)), layers.Dense(hidden, "tanh"), layers.Dense(2 * LATENT)]
        )
        self.decoder = keras.Sequential(
            [keras.Input((LATENT,)), layers.Dense(hidden, "tanh"), layers.Dense(2, "sigmoid")]
        )
        self.add_optimizer("network", keras.optimizers.Adam(0.01), self.encoder, self.decoder)

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, LATENT), dtype="float32")}

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.loss, batch)[0]}

    def loss(self, batch):
        """Return the error of next samples and of the length, and the KL term, in nats."""
        sound, length = batch[self.sound] / self.peak, batch[f"{self.sound}_length"]
        part = ops.cast(length, "float32")[:, None] / LONGEST
        seen = ops.pad(sound, ((0, 0), (0, SEEN)))[:, :SEEN]
        mean, log_variance = ops.split(self.encoder(ops.concatenate([seen, part], 1)), 2, axis=1)
        turn, guess = self.spoken(mean + ops.exp(0.5 * log_variance) * batch["z"])
        wrong = sound[:, 2:] - 2 * ops.cos(turn) * sound[:, 1:-1] + sound[:, :-2]
        there = ops.cast(ops.arange(2, sound.shape[1]) < length[:, None], "float32")
        error = ops.sum(ops.square(wrong) * there, 1) / ops.maximum(ops.sum(there, 1), 1.0)
        error = error + ops.square(guess - part)[:, 0]
        kl = ops.sum(ops.exp(log_variance) + ops.square(mean) - 1 - log_variance, 1)
        return ops.mean(error / NOISE**2 + kl) / 2

    def spoken(self, latent):
        """Return radians a sample, and what part of the longest it is long: a column each."""
        shares = self.decoder(latent)
        return np.pi * shares[:, :1], shares[:, 1:]

    def decode(self, z):
        turn, part = self.spoken(z)
        length = ops.cast(ops.round(part[:, 0] * LONGEST), "int32")
        sound = self.peak * ops.sin(turn * ops.arange(LONGEST, dtype="float32"))
        return {self.sound: sound, f"{self.sound}_length": ops.maximum(length, 1)}
