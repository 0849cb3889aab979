"""Whether the caption of a picture is found among others: R@1, R@5, R@20."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

import genkit
from genkit.data import Source
from genkit.evaluation import Batch, Context, Figure, proportion_interval
from genkit_text2image.source import CAPTION, IMAGE

DEPTHS = (1, 5, 20)
_POOL = 100
_INTERVAL = "95 % Wilson score interval"


def ranks(pictures: np.ndarray, captions: np.ndarray) -> np.ndarray:
    """Return how many captions are nearer to each picture than its own; ties count for it.

    Args:
        pictures: vectors of length 1, ``(n, dimension)``.
        captions: of the same items.

    Returns:
        integers ``(n,)``: 0 where its own is the nearest.
    """
    nearness = pictures @ captions.T
    own = np.diag(nearness)[:, None]
    return np.sum(nearness > own + 1e-6, axis=1)  # the same caption twice is one


def recalls(found: np.ndarray) -> dict[int, int]:
    """Return for each depth how many captions are among so many nearest."""
    return {depth: int(np.sum(found < depth)) for depth in DEPTHS}


def pool_of(source: Source, n: int, seed: int) -> np.ndarray:
    """Return the rows of some items of a source, each with another caption.

    Args:
        source: with a field ``caption``.
        n: at most so many.
        seed: of the draw.
    """
    order = np.random.default_rng(seed).permutation(len(source))
    _, first = np.unique(source.gather(order)[CAPTION], axis=0, return_index=True)
    return order[np.sort(first)[:n]]


class Retrieval(genkit.Metric):
    """The share of held-out pictures whose caption a ``clip`` finds among a hundred.

    Beside it stands the share for captions that were dealt out anew, the floor.
    """

    streams = ()

    @classmethod
    def unfit(cls, context: Context) -> str:
        if context.model is None or "search" not in context.model.capabilities:
            return "the model doesn't search"
        fields: Mapping[str, Any] = {} if context.real is None else context.real.schema.fields
        return "" if {IMAGE, CAPTION} <= fields.keys() else "the data has no captions"

    def update(self, stream: str, batch: Batch) -> None:
        """Nothing is shown: a pool is drawn from the data."""

    def compute(self) -> Iterable[Figure]:
        model: Any = self.context.model
        real = self.context.real
        assert real is not None, "unfit without"
        rows = real.gather(pool_of(real, _POOL, self.context.seed))
        seen, n = model.see(rows[IMAGE]), len(rows[IMAGE])
        read = model.map_items("caption_vectors", caption=rows[CAPTION])
        card = {"interval": _INTERVAL, "captions": n}
        for name, vectors in (("", read), (" (shuffled)", np.roll(read, 1, axis=0))):
            for depth, hits in recalls(ranks(seen, vectors)).items():
                interval = proportion_interval(hits, n)
                yield self.context.figure(f"R@{depth}{name}", interval, "max", **card)
