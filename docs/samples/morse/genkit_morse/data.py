"""The data set: a config in, a source out."""

import numpy as np

import genkit
from genkit.data import ArraySource

LENGTH = 32
CODES = {"h": "....", "i": "..", "o": "---", "k": "-.-", "s": "..."}


def open_morse(config):
    """Open the signals: field `signal`, float32, shape `(32,)`, in [0, 1]."""
    rng = np.random.default_rng(config.seed)
    words = rng.choice(config.words, config.signals)
    signals = np.stack([signal_of(word) for word in words])
    signals = signals + rng.normal(0, config.noise, signals.shape)
    field = genkit.Field((LENGTH,), "float32", "morse", range=(0, 1))
    arrays = {"signal": signals.clip(0, 1).astype("float32")}
    return ArraySource(arrays, genkit.Schema({"signal": field}))


def signal_of(word):
    """Send a word: a dot is on for 1, a dash for 3; off for 1 between them, 3 between letters."""
    letters = ("0".join({".": "1", "-": "111"}[mark] for mark in CODES[x]) for x in word)
    return np.array([int(bit) for bit in "000".join(letters).ljust(LENGTH, "0")], "float32")
