"""Captions as numbers of words: a small vocabulary, and what it doesn't know."""

from __future__ import annotations

import difflib
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from genkit.errors import UsageError

PADDING, UNKNOWN = "<nothing>", "<unknown>"
NOTHING = 0
"""The number of ``PADDING``: it fills a caption up, and a caption of it alone is none."""

_SIGNS = (PADDING, UNKNOWN)
# Letters and digits of any script, with apostrophes inside.
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_MOST_TOLD = 8


def words_of(text: str) -> list[str]:
    """Return the words of a text, in small letters; signs and emoji are none."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


class Words:
    """A vocabulary of words; numbers 0 and 1 stand for nothing and for all other words.

    Args:
        names: of all numbers, as ``names`` of another has them.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._numbers = {name: number for number, name in enumerate(self.names)}

    @classmethod
    def learned(cls, captions: Iterable[Sequence[str]], most: int) -> Words:
        """Return the vocabulary of some captions: their most frequent words, by the alphabet.

        Args:
            captions: the words of each.
            most: how many words are kept.
        """
        counts = Counter(word for caption in captions for word in caption)
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls((*_SIGNS, *sorted(ranked[:most])))

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, word: str) -> bool:
        return word in self._numbers and word not in _SIGNS

    def encode(self, words: Sequence[str], longest: int) -> np.ndarray:
        """Return words as numbers, int32 of shape ``(longest,)``; those behind it are cut off."""
        numbers = np.full(longest, NOTHING, np.int32)
        unknown = self._numbers[UNKNOWN]
        found = [self._numbers.get(word, unknown) for word in words[:longest]]
        numbers[: len(found)] = found
        return numbers

    def decode(self, numbers: Iterable[int]) -> str:
        """Return the text of a caption in numbers, without what fills it up."""
        return " ".join(self.names[number] for number in numbers if number != NOTHING)

    def read(self, prompt: str, longest: int) -> np.ndarray:
        """Return what a person asks for as numbers; a warning names words that aren't known.

        Words that were never seen are left out: they mean nothing to a model.

        Raises:
            UsageError: not one word is known.
        """
        words = words_of(prompt)
        strange = [word for word in dict.fromkeys(words) if word not in self]
        known = [word for word in words if word in self]
        if not known:
            near = self._near(strange)
            raise UsageError(
                f"Expected a prompt with words of the captions; {prompt[:60]!r} has none.",
                f"Did you mean {' or '.join(map(repr, near))}?" if near else self._examples(),
            )
        if strange:
            told = ", ".join(repr(word[:40]) for word in strange[:_MOST_TOLD])
            more = f" and {len(strange) - _MOST_TOLD} more" if len(strange) > _MOST_TOLD else ""
            warnings.warn(f"Words that no caption has are left out: {told}{more}.", stacklevel=2)
        if len(known) > longest:
            warnings.warn(
                f"A prompt of {len(known)} words is cut to the first {longest}.", stacklevel=2
            )
        return self.encode(known, longest)

    def _near(self, strange: Sequence[str]) -> list[str]:
        names = self.names[len(_SIGNS) :]
        return [
            near
            for word in strange[:_MOST_TOLD]
            for near in difflib.get_close_matches(word[:40], names, 1)
        ]

    def _examples(self) -> str:
        return f"They have words such as: {', '.join(self.names[len(_SIGNS) :][:_MOST_TOLD])}"
