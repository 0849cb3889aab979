"""The model; imported when it is used, after the backend was chosen."""

import numpy as np
from keras import ops

import genkit
from genkit_morse.reading import read


class MorseMemory(genkit.Model):
    """Remembers signals as they are, and picks one of them for each item."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        length = schema[schema.name_of("morse")].shape[0]
        self.memory = self.add_weight(shape=(config.remember, length), name="memory")

    def solve(self, source):
        items = source.gather(np.arange(self.config.remember) % len(source))
        self.memory.assign(items[self.schema.name_of("morse")])
        return {"remembered": float(self.config.remember)}

    def noise(self, rng, n):
        return {"pick": rng.random((n,), dtype="float32")}

    def decode(self, pick, loudness=1.0):
        index = ops.cast(pick * self.config.remember, "int32")
        return ops.take(self.memory, index, axis=0) * loudness

    def transcribe(self, signals, threshold=0.5):
        """Write signals, shape `(n, 32)`, as dots and dashes."""
        return [read(signal, threshold) for signal in signals]
