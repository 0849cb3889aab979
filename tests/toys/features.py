"""Features of sayings and of beeps, and what copies of them look like."""

import numpy as np

import genkit
from genkit.data import vocabulary_of
from genkit.errors import DataError

BANDS, FRAMES = 16, 8
END = 0


class Letters(genkit.Extractor):
    """How often each letter, and each pair of neighbours, stands in a text: its spelling."""

    space = "counts of letters, at most 255 each"

    def __init__(self, schema, field, assets=None):
        super().__init__(schema, field, assets)
        self.alphabet = vocabulary_of(schema, field, self.assets)
        if not self.alphabet:
            raise DataError(f"Expected text as numbers of a vocabulary; received {self.field}.")

    @property
    def width(self):
        return len(self.alphabet) * 2

    def features(self, items):
        """Return the share of each letter, and that of each letter after a blank."""
        blank, rows = self.alphabet.index(" "), []
        for letters in map(self.numbers, items):
            first = letters[1:][letters[:-1] == blank]
            counts = [self.counts(each) for each in (letters, first)]
            rows.append(np.concatenate([count / max(1, count.sum()) for count in counts]))
        return np.array(rows, np.float32)

    def view(self, items):
        counts = [self.counts(self.numbers(item)) for item in items]
        return np.minimum(np.array(counts), 255).astype(np.uint8)

    def numbers(self, item):
        """Return a text as the numbers of its letters: what a model has written is ``str``."""
        if isinstance(item, str):
            return np.array([self.alphabet.index(letter) for letter in item], int)
        letters = np.asarray(item)
        return letters[letters != END]

    def counts(self, letters):
        return np.bincount(letters, minlength=len(self.alphabet))


class Bands(genkit.Extractor):
    """The loudness of a sound in bands of frequency, and how long it is."""

    space = "spectrogram of 8 frames, 8 bits"

    def features(self, items):
        rows = [[*_bands(item).mean(axis=0), np.log1p(len(item)) / 10] for item in items]
        return np.array(rows, np.float32)

    def view(self, items):
        shown = [np.clip(40 * _bands(item), 0, 255).astype(np.uint8).ravel() for item in items]
        return np.array(shown)


def _bands(sound):
    """Return how loud each band is in each frame, as logarithms."""
    frames = np.array_split(np.asarray(sound, np.float64), FRAMES)
    powers = [np.abs(np.fft.rfft(frame, 2 * BANDS * FRAMES))[1:] for frame in frames]
    return np.log1p(np.array(powers).reshape(FRAMES, BANDS, -1).mean(axis=2))
