"""Words that end a text, found by bytes wherever tokens part them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class StopWords:
    """A machine that reads tokens and knows how much of a word it has just read.

    Args:
        table: the state after a token, int32 ``(states, tokens)``. 0 is that before the first.
        found: which states have read a word, bool ``(states,)``; those are never left.
    """

    table: NDArray[np.int32]
    found: NDArray[np.bool_]


def stop_words(words: Sequence[str], pieces: Sequence[bytes]) -> StopWords:
    """Return the machine for some words (Aho and Corasick 1975).

    Args:
        words: at least one, none empty.
        pieces: the bytes of each token.
    """
    by_byte, found = _machine([word.encode() for word in words])
    longest = max(map(len, pieces))
    lengths = np.array([len(piece) for piece in pieces])
    padded = np.array([list(piece.ljust(longest, b"\0")) for piece in pieces], np.uint8)
    state = np.repeat(np.arange(len(found), dtype=np.int32)[:, None], len(pieces), axis=1)
    for place in range(longest):
        state = np.where(place < lengths, by_byte[state, padded[:, place]], state)
    return StopWords(state, found)


def _machine(words: Sequence[bytes]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """Return the state after a byte, ``(states, 256)``, and which states have read a word."""
    tree: list[dict[int, int]] = [{}]
    ends = set()
    for word in words:
        state = 0
        for byte in word:
            if byte not in tree[state]:
                tree.append({})
                tree[state][byte] = len(tree) - 1
            state = tree[state][byte]
        ends.add(state)
    table = np.zeros((len(tree), 256), np.int32)
    waiting = deque([(0, 0)])  # a state, and that of the longest end of it which begins a word
    while waiting:
        state, shorter = waiting.popleft()
        if shorter in ends:
            ends.add(state)
        table[state] = table[shorter] if state else 0
        for byte, following in tree[state].items():
            waiting.append((following, int(table[state, byte])))
            table[state, byte] = following
    found = np.isin(np.arange(len(tree)), list(ends))
    table[found] = np.flatnonzero(found)[:, None]
    return table, found
