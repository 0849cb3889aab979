"""Models that are asked with words: prompts as numbers, and words that nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

import genkit
from genkit.errors import UsageError
from genkit_text2image.source import caption_field, words_in
from genkit_text2image.words import Words

PROMPT = genkit.Condition("prompt", modality="text", required=True)


class Prompted:
    """The part of a model that reads captions; it stands before ``genkit.Model`` among bases."""

    schema: genkit.Schema
    assets: Mapping[str, np.ndarray]

    @cached_property
    def words(self) -> Words:
        """The vocabulary, which came with the data."""
        return words_in(self.schema, self.assets)

    @property
    def longest(self) -> int:
        """How many words of a caption it sees."""
        return int(self.schema[caption_field(self.schema)].shape[0] or 0)

    def encode_condition(self, name: str, values: Sequence[Any]) -> np.ndarray:  # noqa: ARG002
        """Return prompts, texts or numbers of words, as numbers: int32 ``(n, longest)``.

        Raises:
            UsageError: a text without a word that is known, or something else.
        """
        return np.stack([self._encoded(value) for value in values])

    def text_of(self, value: Any) -> str:
        """Return a prompt as text, as ``encode_condition`` takes it."""
        return value if isinstance(value, str) else self.words.decode(np.asarray(value).tolist())

    def _encoded(self, value: Any) -> np.ndarray:
        if isinstance(value, str):
            return self.words.read(value, self.longest)
        numbers = np.asarray(value)
        fits = numbers.shape == (self.longest,) and numbers.dtype.kind in "iu"
        if not fits or numbers.min() < 0 or numbers.max() >= len(self.words):
            raise UsageError(
                f"Expected a prompt as text, or as {self.longest} numbers of words; received "
                f"{str(value)[:60]!r}."
            )
        return numbers.astype(np.int32)


def prompts_of(given: Mapping[str, Any] | None, n: int) -> list[Any]:
    """Return the prompt of each of ``n`` items: one was given for all, or one for each."""
    value = (given or {})[PROMPT.name]
    return list(value) if isinstance(value, (list, tuple)) or np.ndim(value) > 1 else [value] * n
