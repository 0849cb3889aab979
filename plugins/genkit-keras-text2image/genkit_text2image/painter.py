"""Stage two of ``dalle``: one transformer over the words of a caption, then a picture's codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from genkit_language import Decoder, GPTConfig, next_tokens
from keras import ops

from genkit import loop
from genkit_text2image.configs import DalleConfig
from genkit_text2image.words import NOTHING


class Painter:
    """Foretells a picture's codes from its caption and the codes before (Ramesh et al. 2021).

    A text is ``longest`` words, filled up with nothing, then the codes row by row. Words and codes
    are numbers of one table; codes come behind the words. A caption of nothing stands for any.

    Args:
        config: of the model.
        words: how many words there are.
        longest: words of a caption.
        codes: of a picture.

    Attributes:
        network: the transformer of the language plugin.
    """

    def __init__(self, config: DalleConfig, words: int, longest: int, codes: int) -> None:
        self.words, self.longest, self.codes = words, longest, codes
        self.settings = GPTConfig(
            context=longest + codes,
            layers=config.layers,
            heads=config.heads,
            width=config.width,
            places="learned",
            dropout=config.dropout,
            learning_rate=config.learning_rate,
        )
        self.network = Decoder(self.settings, words + config.codebook_size)
        self.network.build()

    def surprise(self, caption: Any, codes: Any, *, training: bool) -> tuple[Any, Any]:
        """Return by how much words and codes surprise, in nats a word and a code.

        Args:
            caption: int32 ``(batch, longest)``.
            codes: int32 ``(batch, codes)``.
            training: whether channels are left out.

        Returns:
            the mean over all words but the first, and over all codes; scalars.
        """
        tokens = ops.concatenate([caption, codes[:, :-1] + self.words], axis=1)
        scores = ops.cast(self.network(tokens, training=training), "float32")
        of_words = _surprise(scores[:, : self.longest - 1, : self.words], caption[:, 1:])
        there = ops.cast(caption[:, 1:] != NOTHING, "float32")
        of_codes = _surprise(scores[:, self.longest - 1 :, self.words :], codes)
        word = ops.sum(of_words * there) / ops.maximum(ops.sum(there), 1.0)
        return word, ops.mean(of_codes)

    def paint(
        self,
        caption: Any,
        uniform: Any,
        guidance: Any,
        asked: Mapping[str, Any],
        known: np.ndarray | None = None,
    ) -> Any:
        """Draw the codes of pictures, one after the other, with what was computed before kept.

        Captions push by classifier-free guidance (Ho and Salimans 2022): scores are those without a
        caption, moved ``guidance`` times the way to those with it.

        Args:
            caption: int32 ``(batch, longest)``.
            uniform: numbers from 0 to 1 that decide, ``(batch, codes)``.
            guidance: a scalar.
            asked: as ``next_tokens`` takes it.
            known: codes that are given, the first so many of each picture, int32.

        Returns:
            int32 ``(batch, codes)``.
        """
        both = ops.concatenate([caption, NOTHING * ops.ones_like(caption)], axis=0)
        given = np.zeros(self.codes, np.int32)
        count = 0 if known is None else len(known)
        given[:count] = [] if known is None else known
        slots = ops.arange(self.codes, dtype="int32")

        def step(number: Any, state: dict[str, Any]) -> dict[str, Any]:
            place = (self.longest - 1 + number) * ops.ones_like(state["last"])
            scores, cache = self.network.step(state["last"], place, state["cache"])
            with_caption, without = ops.split(scores[:, self.words :], 2, axis=0)
            pushed = without + guidance * (with_caption - without)
            drawn = next_tokens(pushed, ops.take(uniform, number, axis=1), asked)
            if count:
                fixed = ops.take(ops.convert_to_tensor(given), number)
                drawn = ops.where(number < count, fixed, drawn)
            here = slots[None] == number
            codes = ops.where(here, drawn[:, None], state["codes"])
            last = ops.concatenate([drawn, drawn], axis=0) + self.words
            return {"codes": codes, "last": last, "cache": cache}

        # The last word is read again by the first step, whose scores are those of the first code.
        start = {
            "codes": ops.zeros(uniform.shape, "int32"),
            "last": both[:, -1],
            "cache": self.network.begin(both),
        }
        return loop(step, start, self.codes)["codes"]


def _surprise(scores: Any, wanted: Any) -> Any:
    """Return minus the logarithm of the chances of numbers, by the scores of all."""
    taken = ops.take_along_axis(scores, ops.expand_dims(wanted, -1), axis=-1)
    return ops.logsumexp(scores, axis=-1) - taken[..., 0]
