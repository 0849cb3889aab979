"""How well pictures follow their captions, and how near they are to those of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from genkit_text2image.prompted import PROMPT
from genkit_text2image.retrieval import pool_of, ranks, recalls
from genkit_text2image.source import CAPTION, IMAGE, CaptionedSource

_ROWS = 64  # distances at a time


@dataclass(frozen=True)
class Judgement:
    """What came out.

    Args:
        captions: as text.
        hits: by kind of pictures, ``real``, ``generated`` and ``shuffled``, how many captions are
            found among so many nearest.
        real: the pictures of the captions.
        generated: those that the model made of them.
        nearest: of each generated one the nearest training picture.
        distances: to it, root of the mean square of values from 0 to 1.
    """

    captions: tuple[str, ...]
    hits: dict[str, dict[int, int]]
    real: np.ndarray
    generated: np.ndarray
    nearest: np.ndarray
    distances: np.ndarray


def judge(
    model: Any,
    by: Any,
    source: CaptionedSource,
    training: CaptionedSource,
    *,
    n: int = 100,
    seed: int = 0,
    **options: Any,
) -> Judgement:
    """Let a ``clip`` find the captions of generated pictures.

    The floor are the same pictures given to other captions, since what looks usual is found by
    chance; the ceiling are the real pictures.

    Args:
        model: makes pictures of captions.
        by: a ``clip``, best of other data than the model's.
        source: whose captions are asked for, at most ``n`` different ones.
        training: what the model learned from.
        n: how many.
        seed: of the choice and the pictures.
        **options: as ``model.generate`` takes them.
    """
    rows = pool_of(source, n, seed)
    items = source.gather(rows)
    texts = tuple(source.texts[row] for row in rows)
    prompts = {PROMPT.name: list(items[CAPTION])}
    made = model.generate(len(rows), seed, given=prompts, **options)
    captions = by.read(texts)
    kinds = {"real": items[IMAGE], "generated": made, "shuffled": np.roll(made, 1, axis=0)}
    hits = {name: recalls(ranks(by.see(each), captions)) for name, each in kinds.items()}
    known = training.gather(np.arange(len(training)))[IMAGE]
    places, distances = nearest_of(made, known, model.schema[model.image].span)
    return Judgement(texts, hits, items[IMAGE], made, known[places], distances)


def nearest_of(
    pictures: np.ndarray, known: np.ndarray, span: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return for each picture the row of the nearest known one, and how far it is.

    Args:
        pictures: ``(n, ...)``.
        known: ``(many, ...)``, in the same range.
        span: of the range.
    """
    flat, others = (
        np.asarray(each, np.float32).reshape(len(each), -1) / span for each in (pictures, known)
    )
    squares = np.sum(others**2, axis=1)
    parts = (flat[start : start + _ROWS] for start in range(0, len(flat), _ROWS))
    found = np.concatenate([np.argmin(squares - 2 * part @ others.T, axis=1) for part in parts])
    return found, np.sqrt(np.mean((flat - others[found]) ** 2, axis=1))
