"""How much texts repeat themselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from scipy import special

import genkit
from genkit.evaluation import Batch, Context, Figure
from genkit.testing import KnownAnswer
from genkit_language.texts import texts_of

_LENGTHS = (2, 3)  # words


class Distinct(genkit.Metric):
    """Of the runs of 2 and of 3 words in a text, the share that is another than those before.

    Li et al. 2016, "A Diversity-Promoting Objective Function for Neural Conversation Models", of
    each text by itself, so that the figure doesn't fall with the number of texts. A text of fewer
    words repeats nothing. It falls with the length of texts: compare those of one length.
    """

    streams = ("generated",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._sums = np.zeros((len(_LENGTHS), 2))  # of shares, and of their squares
        self._texts = self._words = 0

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002 - there is but one
        for text in texts_of(batch.items, self.context):
            words = text.split()
            shares = np.array([_share(words, length) for length in _LENGTHS])
            self._sums += np.stack([shares, shares**2], axis=1)
            self._texts, self._words = self._texts + 1, self._words + len(words)

    def compute(self) -> Iterable[Figure]:
        for length, (total, squares) in zip(_LENGTHS, self._sums.tolist(), strict=True):
            yield self.context.figure(
                f"distinct-{length}",
                _mean_interval(self._texts, total, squares),
                "max",
                words_a_text=self._words / self._texts,
                interval="95 % t",
            )


def _share(words: Sequence[str], length: int) -> float:
    runs = [tuple(words[place : place + length]) for place in range(len(words) - length + 1)]
    return len(set(runs)) / len(runs) if runs else 1.0


def _mean_interval(n: int, total: float, squares: float) -> tuple[float, float, float]:
    """Return a mean and its Student t interval, from sums: texts aren't kept."""
    mean = total / n
    if n == 1:
        return mean, -np.inf, np.inf
    spread = max(0.0, squares - n * mean**2) / (n - 1)
    half = float(special.stdtrit(n - 1, 0.975)) * float(np.sqrt(spread / n))
    return mean, mean - half, mean + half


def known() -> Iterable[KnownAnswer]:
    """Texts that say one thing again and again, or each thing once."""
    schema = genkit.Schema({"text": genkit.Field((), "string", "text")})
    for text, pairs, triples in (
        ("a b a b a", 2 / 4, 2 / 3),
        ("a b c d", 1.0, 1.0),
        ("", 1.0, 1.0),
    ):
        items = {"generated": np.array([text] * 60, object)}
        yield KnownAnswer(schema, items, {"distinct-2": pairs, "distinct-3": triples})
