"""How alike texts of one model are: each is measured by BLEU against the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.util import find_spec

import numpy as np

import genkit
from genkit.data import pack_text, unpack_text
from genkit.evaluation import Batch, Context, Figure, mean_interval
from genkit.testing import KnownAnswer
from genkit_language.copies import cut_like
from genkit_language.data import whole_text
from genkit_language.texts import texts_of

_MOST_TEXTS = 200  # each is compared with all the others


class SelfBLEU(genkit.Metric):
    """Mean BLEU of each text against all others (Zhu et al. 2018, Texygen), from 0 to 1.

    1 where each text stands there twice, 0 where no two share a word. It falls with the number of
    texts: more of them, more to be like. So it is of the first 200, and beside it stands that of
    held-out text in pieces of the same lengths. BLEU is sacrebleu's, up to four words, of fewer in
    shorter texts, its signature on the card.
    """

    streams = ("generated",)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._texts: dict[int, str] = {}

    @classmethod
    def unfit(cls, context: Context) -> str:  # noqa: ARG003
        if find_spec("sacrebleu") is None:
            return "sacrebleu is not installed: pip install 'genkit-keras-language[bleu]'"
        return ""

    def update(self, stream: str, batch: Batch) -> None:  # noqa: ARG002 - there is but one
        begin = len(self._texts) if batch.begin is None else batch.begin
        room = max(0, _MOST_TEXTS - begin)
        self._texts |= dict(enumerate(texts_of(batch.items[:room], self.context), begin))

    def state(self) -> dict[str, np.ndarray]:
        places = np.array(list(self._texts), np.int64)
        return {"places": places, "texts": pack_text(self._texts.values())}

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        self._texts |= dict(zip(state["places"].tolist(), unpack_text(state["texts"]), strict=True))

    def compute(self) -> Iterable[Figure]:
        texts = [text for _, text in sorted(self._texts.items())]
        held = whole_text(self.context.real)
        others = [] if held is None else cut_like(held, [len(text) for text in texts])
        scores, signature = self_bleu(texts)
        yield self.context.figure(
            "self-bleu",
            mean_interval(scores),
            "min",
            of_held_out_text=float(np.mean(self_bleu(others)[0])) if others else None,
            texts=len(texts),
            bleu=signature,
            interval="95 % t",
        )


def self_bleu(texts: Sequence[str]) -> tuple[np.ndarray, str]:
    """Return each text's BLEU against the others, from 0 to 1, and sacrebleu's signature."""
    from sacrebleu.metrics.bleu import BLEU  # type: ignore[import-not-found,unused-ignore]

    if len(texts) < 2:  # noqa: PLR2004 - there is nothing to be like
        return np.zeros(len(texts)), "none of a single text"
    bleu, scores = BLEU(effective_order=True), []
    for place, text in enumerate(texts):
        others = [*texts[:place], *texts[place + 1 :]]
        scores.append(bleu.sentence_score(text, others).score / 100)
    return np.array(scores), str(bleu.get_signature())


def known() -> Iterable[KnownAnswer]:
    """Texts that are all the same, or share no word."""
    schema = genkit.Schema({"text": genkit.Field((), "string", "text")})
    strange = [" ".join(f"w{number}x{place}" for place in range(5)) for number in range(60)]
    for texts, right in ((["a stitch in time saves nine"] * 60, 1.0), (strange, 0.0)):
        items = {"generated": np.array(texts, object)}
        yield KnownAnswer(schema, items, {"self-bleu": right})
