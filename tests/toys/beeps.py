"""Sounds of varying length, and a model that guesses each sample from those before it."""

import keras
import numpy as np
from keras import ops

import genkit
from genkit.data import ColumnSource, Ragged, parse_transforms, transformed

RATE, SEEN = 8000, 2


def open_beeps(config):
    """Open the tones: the field ``sound``, samples from -1 to 1 at 8,000 a second."""
    rng = np.random.default_rng(config.split == "test")
    items = []
    for length in rng.integers(4, 300, 100)[: config.limit]:
        turn = 2 * np.pi * rng.uniform(200, 2000) / RATE
        items.append(np.sin(turn * np.arange(length)).astype("float32"))
    field = genkit.Field((None,), "float32", "audio", (-1, 1), rate=RATE)
    sounds = ColumnSource({"sound": Ragged.of(items, "float32")}, genkit.Schema({"sound": field}))
    return transformed(sounds, parse_transforms(config.transforms))


class Echo(genkit.Model):
    """A linear prediction of the next sample."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.sound = schema.name_of("audio")
        self.network = keras.Sequential([keras.Input((SEEN,)), keras.layers.Dense(1)])
        self.add_optimizer("network", keras.optimizers.Adam(0.02), self.network)

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.error, batch)[0]}

    def error(self, batch):
        """Return the mean square error over samples; what stands behind a sound has no weight."""
        sound, length = batch[self.sound], batch[f"{self.sound}_length"]
        size = sound.shape[1] - SEEN
        seen = ops.stack([sound[:, place : place + size] for place in range(SEEN)], -1)
        guessed = ops.reshape(self.network(ops.reshape(seen, (-1, SEEN))), (-1, size))
        weights = ops.cast(ops.arange(size) < ops.expand_dims(length - SEEN, 1), "float32")
        return ops.sum(ops.square(guessed - sound[:, SEEN:]) * weights) / ops.sum(weights)
