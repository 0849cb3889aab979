"""Histories: the items of each user, sparse, in the order of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from genkit.data import bucket


@dataclass(frozen=True)
class Histories:
    """The items that each of some users has interacted with.

    Args:
        starts: int64 of shape ``(users + 1,)``: user ``u`` has ``items[starts[u]:starts[u + 1]]``.
        items: int32 item numbers, each user's in the order of time, none twice.
        n_items: how many items there are.
    """

    starts: NDArray[np.int64]
    items: NDArray[np.int32]
    n_items: int

    @classmethod
    def of_pairs(
        cls, rows: NDArray[np.integer], items: NDArray[np.integer], n_rows: int, n_items: int
    ) -> Histories:
        """Gather pairs of a row and an item; within a row the pairs' order stays."""
        order = np.argsort(rows, kind="stable")
        counts = np.bincount(rows, minlength=n_rows)
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(starts, np.asarray(items)[order].astype(np.int32), n_items)

    @classmethod
    def of_lists(cls, lists: list[list[int]], n_items: int) -> Histories:
        """Take the items of each user as lists."""
        lengths = [len(items) for items in lists]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return cls(starts, np.array([i for items in lists for i in items], np.int32), n_items)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """How many items each user has, shape ``(users,)``."""
        return np.diff(self.starts)

    def __getitem__(self, row: int) -> NDArray[np.int32]:
        return self.items[self.starts[row] : self.starts[row + 1]]

    def rows_of_pairs(self) -> NDArray[np.int64]:
        """Return the row that each entry of ``items`` belongs to."""
        return np.repeat(np.arange(len(self)), self.lengths)

    def take(self, rows: NDArray[np.integer]) -> Histories:
        """Return the histories of some rows, in their order."""
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        # Entry e of the result stands at the start of its row plus its place in the row.
        places = np.arange(starts[-1]) - np.repeat(starts[:-1], lengths)
        return Histories(
            starts, self.items[np.repeat(self.starts[rows], lengths) + places], self.n_items
        )

    def padded(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the items of each user with zeros behind, as a batch has them.

        Returns:
            int32 of shape ``(users, size)`` with the ``genkit.data.bucket`` of the longest history
            as size; and how many items each user has, int32.
        """
        lengths = self.lengths.astype(np.int32)
        items = np.zeros((len(self), bucket(int(lengths.max(initial=0)))), np.int32)
        items[np.arange(items.shape[1]) < lengths[:, None]] = self.items
        return items, lengths

    def dense(self) -> NDArray[np.float32]:
        """Return ones where there was an interaction, float32 of shape ``(users, n_items)``."""
        rows = np.zeros((len(self), self.n_items), np.float32)
        rows[self.rows_of_pairs(), self.items] = 1.0
        return rows

    def matrix(self) -> sparse.csr_matrix:
        """Return the same as a sparse matrix, float32 of shape ``(users, n_items)``."""
        ones = np.ones(len(self.items), np.float32)
        matrix = sparse.csr_matrix(
            (ones, self.items.copy(), self.starts), shape=(len(self), self.n_items)
        )
        matrix.sort_indices()
        return matrix

    def last(self, length: int) -> NDArray[np.int32]:
        """Return the newest items of each user, oldest first, padded in front with -1.

        Returns:
            int32 of shape ``(users, length)``.
        """
        places = self.starts[1:, None] + np.arange(-length, 0)
        there = places >= self.starts[:-1, None]
        padded = np.append(self.items, np.int32(-1))
        return padded[np.where(there, places, len(self.items))]

    def without(self, row: int, place: int) -> list[int]:
        """Return a row's items but the one at a place."""
        items: list[int] = self[row].tolist()
        return items[:place] + items[place + 1 :]

    def contains(self, rows: NDArray[np.integer], items: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return for each pair whether the row has the item."""
        known = np.sort(self.rows_of_pairs() * self.n_items + self.items)
        asked = np.asarray(rows, np.int64) * self.n_items + items
        if not len(known):
            return np.zeros(len(asked), bool)
        places = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        return np.asarray(known[places] == asked)
