"""How much a text surprises a model, token by token."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_language.documents import Corpus, whole_words
from genkit_language.rows import NoTextError

_AT_ONCE = 256  # windows: what they are made of is held in memory


@dataclass(frozen=True)
class Score:
    """What a model makes of a text.

    Args:
        pieces: the text in pieces of a token; of several where a character has more than one.
        nats: by how much each piece surprises, minus the logarithm of its chance.
        tokens: how many there are.
    """

    pieces: list[str]
    nats: NDArray[np.floating]
    tokens: int

    @property
    def characters(self) -> int:
        """How many the text has."""
        return sum(map(len, self.pieces))

    @property
    def figures(self) -> dict[str, float]:
        """Means in nats and bits, and the perplexity, by name."""
        total = float(self.nats.sum(dtype=np.float64))
        return {
            "nats_per_token": total / self.tokens,
            "nats_per_character": total / self.characters,
            "bits_per_character": total / self.characters / float(np.log(2)),
            "perplexity": float(np.exp(total / self.tokens)),
        }


def score(model: Any, text: str) -> Score:
    """Return how much a text surprises a model of text.

    Each token is foretold from those before it, from half a context on where there are so many, the
    first from what a text without a prompt begins behind.

    Args:
        model: a ``GPT``.
        text: at least one character.

    Raises:
        UsageError: it has characters that the model doesn't know.
        DataError: it is empty.
    """
    if not text:
        raise DataError("Expected text to score; received none.")
    tokenizer, context = model.tokenizer, model.config.context
    numbers = np.concatenate(
        [[model.first_token], *(tokenizer.encode(part) for part in whole_words(iter([text])))]
    ).astype(np.int32)
    nats = _surprise(model, numbers, context)
    pieces, sums, waiting, more = [], [], b"", 0.0
    for number, value in zip(numbers[1:].tolist(), nats.tolist(), strict=True):
        waiting, more = waiting + tokenizer.pieces[number], more + value
        try:
            pieces.append(waiting.decode())
        except UnicodeDecodeError:  # the character isn't complete yet
            continue
        sums.append(more)
        waiting, more = b"", 0.0
    return Score(pieces, np.array(sums), len(numbers) - 1)


def _surprise(model: Any, numbers: NDArray[np.int32], context: int) -> NDArray[np.floating]:
    """Return by how much each token but the first surprises."""
    half = max(1, context // 2)
    count = len(numbers) - 1
    rows = max(0, -(-(count - context) // half)) + 1
    padded = np.pad(numbers, (0, (rows - 1) * half + context + 1 - len(numbers)))
    found = np.empty(count, np.float32)
    for begin in range(0, rows, _AT_ONCE):
        starts = np.arange(begin, min(rows, begin + _AT_ONCE)) * half
        windows = padded[starts[:, None] + np.arange(context + 1)]
        for start, values in zip(starts, model.map_items("surprise", window=windows), strict=True):
            new = 0 if start == 0 else context - half
            place = start + new
            found[place : start + context] = values[new : new + count - place]
    return found


def read_text(path: Path) -> str:
    """Return what is in a text file.

    Raises:
        DataError: no such file, or no text.
    """
    if path.is_dir():
        raise DataError(f"Expected a text file; {path} is a folder.")
    (document,) = Corpus(path)
    try:
        return "".join(document.blocks())
    except NoTextError as reason:
        raise DataError(f"Expected text in UTF-8 in {path}; it has {reason}.") from reason
