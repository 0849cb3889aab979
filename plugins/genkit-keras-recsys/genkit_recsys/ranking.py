"""Rankings: the best items of each user, in blocks of users so that memory stays bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from genkit_recsys.histories import Histories

if TYPE_CHECKING:
    from genkit_recsys.archive import Archive

TIE_RULE = "of equal scores the item whose id stands first"
_BLOCK_BYTES = 64 << 20
_MOST_ROWS = 4096


class Scorer(Protocol):
    """What rankings, exports and measures need of a recommender."""

    n_items: int

    @property
    def archive(self) -> Archive:
        """Ids, titles, and what was seen in training."""

    def scores(self, histories: Histories, users: np.ndarray | None = None) -> np.ndarray:
        """Score all items for each history, shape ``(users, items)``."""


def blocks(n_rows: int, n_items: int) -> Iterator[NDArray[np.int64]]:
    """Yield the rows in blocks whose scores take at most 64 MiB, or a single row."""
    size = min(max(_BLOCK_BYTES // (4 * n_items), 1), _MOST_ROWS)
    for start in range(0, n_rows, size):
        yield np.arange(start, min(start + size, n_rows))


def exclude(scores: NDArray[np.float32], excluded: Histories) -> None:
    """Take items out of the ranking, in place: their score becomes minus infinity."""
    scores[excluded.rows_of_pairs(), excluded.items] = -np.inf


def top(scores: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Return the best items of each row, best first; ties as ``TIE_RULE`` says.

    Args:
        scores: shape ``(rows, items)``; minus infinity for what is no candidate.
        k: how many, at most ``items``.

    Returns:
        item numbers, shape ``(rows, k)``; -1 where a row has fewer candidates.
    """
    k = min(k, scores.shape[1])
    best = np.argpartition(scores, scores.shape[1] - k, axis=1)[:, -k:]
    values = np.take_along_axis(scores, best, axis=1)
    least = values.min(axis=1)
    # A tie across the border: which of its items are in was left to chance.
    tied = (scores >= least[:, None]).sum(axis=1) > k
    for row in np.flatnonzero(tied):
        above = np.flatnonzero(scores[row] > least[row])
        level = np.flatnonzero(scores[row] == least[row])[: k - len(above)]
        best[row] = np.concatenate([above, level])
    values = np.take_along_axis(scores, best, axis=1)
    order = np.lexsort((best, -values), axis=1)
    best = np.take_along_axis(best, order, axis=1)
    values = np.take_along_axis(values, order, axis=1)
    return np.where(np.isneginf(values), -1, best)
