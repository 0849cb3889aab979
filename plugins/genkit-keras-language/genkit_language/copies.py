"""How much of what is written stands in the training text, word for word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.evaluation import Batch, Context, Figure, mean_interval
from genkit_language.data import TextSource, whole_text
from genkit_language.texts import texts_of
from genkit_language.tokenizer import code_points

SPAN = 32
"""Characters that are not alike by chance; most sentences of a language have more."""

LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256)
_MOST_TEXTS = 1000
_BLOCK = 1 << 20  # tokens of the training text that are looked at together
_BASE = np.uint64(0x9E3779B97F4A7C15)  # odd, so that no power of it is 0


class Copies(genkit.Metric):
    """The share of spans of 32 characters that stand in the training text, and the longest of all.

    Beside the share stands that of held-out text of the same lengths: what people write has it too.
    """

    streams = ("generated",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._texts: list[str] = []

    @classmethod
    def unfit(cls, context: Context) -> str:
        if context.training is None:
            return context.no_training or "there is no training data at hand"
        if whole_text(context.training) is None:
            return "the training data is no text of this plugin"
        return ""

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002 - there is but one
        room = _MOST_TEXTS - len(self._texts)
        self._texts += texts_of(batch.items[:room], self.context)

    def compute(self) -> Iterable[Figure]:
        training = whole_text(self.context.training)
        assert training is not None, "unfit() knows that there is some"
        held = whole_text(self.context.real)
        others = [] if held is None else cut_like(held, [len(text) for text in self._texts])
        shares = _shares(self._texts, training, SPAN)
        card = {"texts": len(self._texts), "interval": "95 % t"}
        yield self.context.figure(
            f"copied-{SPAN}",
            mean_interval(shares),
            "min",
            of_held_out_text=float(np.mean(_shares(others, training, SPAN))) if others else None,
            **card,
        )
        longest = np.zeros(len(self._texts))
        for length in LENGTHS:
            copied = _shares(self._texts, training, length) > 0
            if not copied.any():
                break
            longest[copied] = length
        yield self.context.figure(
            "longest-copy",
            mean_interval(longest),
            "min",
            longest_of_all=int(longest.max()),
            lengths=", ".join(map(str, LENGTHS)),
            **card,
        )


def _shares(texts: Sequence[str], training: TextSource, length: int) -> NDArray[np.floating]:
    """Return which share of a text's spans stands in the training text; 0 if it is shorter."""
    spans = [span_hashes(code_points(text), length) for text in texts]
    wanted = np.unique(np.concatenate(spans))
    there = np.zeros(len(wanted), bool)
    if not len(wanted):
        return np.zeros(len(texts))
    for block in _blocks(training, length):
        found = span_hashes(code_points(block), length)
        places = np.minimum(np.searchsorted(wanted, found), len(wanted) - 1)
        there[places[wanted[places] == found]] = True
    return np.array(
        [there[np.searchsorted(wanted, own)].mean() if len(own) else 0.0 for own in spans]
    )


def _blocks(source: TextSource, length: int) -> Iterator[str]:
    """Yield the text in blocks that overlap, so that each span is in one of them."""
    numbers, end = source.tokens.numbers, ""
    for start in range(0, len(numbers), _BLOCK):
        block = end + source.tokens.tokenizer.decode(numbers[start : start + _BLOCK])
        yield block
        end = block[max(0, len(block) - length + 1) :]


def span_hashes(codes: NDArray[np.uint32], length: int) -> NDArray[np.uint64]:
    """Return a number for each span of a text, equal for equal ones.

    Args:
        codes: of its characters, ``(characters,)``.
        length: of a span.

    Returns:
        ``(characters - length + 1,)``; none if the text is shorter.
    """
    if len(codes) < length:
        return np.zeros(0, np.uint64)
    if length == 1:
        mixed = (codes.astype(np.uint64) + np.uint64(1)) * _BASE
        return mixed ^ (mixed >> np.uint64(29))
    first = length // 2
    left = span_hashes(codes, first)[: len(codes) - length + 1]
    right = span_hashes(codes[first:], length - first)
    power = np.uint64(pow(int(_BASE) | 1, length - first, 1 << 64))
    return left * power + right


def cut_like(source: TextSource, lengths: Sequence[int]) -> list[str]:
    """Return pieces of a text of some lengths, one behind the other, as far as it goes."""
    most = sum(lengths)
    text = source.tokens.tokenizer.decode(source.tokens.numbers[: 2 * most])  # ends are no text
    ends = np.cumsum(lengths)
    return [
        text[end - length : end]
        for end, length in zip(ends, lengths, strict=True)
        if end <= len(text)
    ]
