"""Text of varying length: characters as numbers, the alphabet an asset."""

import keras
import numpy as np
from keras import layers, ops

import genkit
from genkit.data import ColumnSource, Ragged, with_vocabulary
from genkit.errors import DataError

WORDS = ("well", "a", "stitch", "in", "time", "begun", "is", "half", "done", "saves", "nine")
ALPHABET = ("<end>", " ", *sorted(set("".join(WORDS))))


def open_sayings(config):
    """Open the sayings: the field ``text``, numbers of characters, ended by 0."""
    rng = np.random.default_rng(0)
    made = dict.fromkeys(" ".join(rng.choice(WORDS, rng.integers(1, 9))) for _ in range(400))
    texts = list(made)[config.split == "test" :: 2][: config.limit]
    items = [[*map(ALPHABET.index, text), 0] for text in texts]
    field, assets = with_vocabulary("text", genkit.Field((None,), "int32", "text"), ALPHABET)
    return ColumnSource({"text": Ragged.of(items, "int32")}, genkit.Schema({"text": field}), assets)


class Bigrams(genkit.Model):
    """Says which character comes next, from the last one."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.text = schema.name_of("text")
        field = schema[self.text]
        if field.shape != (None,) or not field.vocabulary:
            raise DataError(f"Expected text as numbers of a vocabulary; received {field}.")
        size = int(field.range[1]) + 1
        inputs = keras.Input((None,), dtype="int32")
        hidden = layers.Embedding(size, config.width)(inputs)
        self.network = keras.Model(inputs, layers.Dense(size)(hidden))
        self.add_optimizer("network", keras.optimizers.Adam(0.05), self.network)

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.cross_entropy, batch)[0]}

    def cross_entropy(self, batch):
        """Return the mean over characters, in nats; what stands behind a text has no weight."""
        text, length = batch[self.text], batch[f"{self.text}_length"]
        logits = self.network(text[:, :-1], training=True)
        losses = keras.losses.sparse_categorical_crossentropy(text[:, 1:], logits, from_logits=True)
        there = ops.arange(losses.shape[1]) < ops.expand_dims(length - 1, 1)
        weights = ops.cast(there, "float32")
        return ops.sum(losses * weights) / ops.sum(weights)
