"""What is held out: new combinations of known words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np


def held_out(captions: Sequence[Sequence[str]], share: float, known: int, seed: int) -> np.ndarray:
    """Choose the captions that are held out, each a combination of words that training lacks.

    Captions of the same words, in any order, go together. A group is held out only if each of its
    words stays in ``known`` captions of those for training or more; which groups are tried first
    follows from the seed.

    Args:
        captions: the words of each.
        share: of the captions that are held out at most.
        known: in how many training captions a word must be.
        seed: of the order.

    Returns:
        bool, shape ``(captions,)``.
    """
    groups: dict[frozenset[str], list[int]] = defaultdict(list)
    for row, words in enumerate(captions):
        groups[frozenset(words)].append(row)
    counts = Counter(word for words, rows in groups.items() for word in words for _ in rows)
    chosen = np.zeros(len(captions), bool)
    room = int(share * len(captions))
    keys = list(groups)  # in the order of the captions
    for place in np.random.default_rng(seed).permutation(len(keys)):
        words, rows = keys[place], groups[keys[place]]
        if len(rows) <= room and all(counts[word] - len(rows) >= known for word in words):
            chosen[rows] = True
            room -= len(rows)
            counts.subtract({word: len(rows) for word in words})
    return chosen
