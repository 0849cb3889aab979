"""Distances between rows of mixed columns, and the rows that are nearest, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

_CELLS = 1 << 24
"""Distances that are held at once, each column's counted."""
_NOWHERE = 2.0

Rows = NDArray[np.float64]
Places = NDArray[np.float32]


class Ruler:
    """Measures how far rows are apart: Gower's distance (1971, doi:10.2307/2528823), added up.

    In each column 0 to 1: of names and booleans 1 where they differ; of numbers and dates the share
    of the known rows that lie between; 1 where one of the two is missing.

    Args:
        known: rows as numbers, by which numbers are ranked, shape ``(n, columns)``.
        equal: of which columns only equality counts, shape ``(columns,)``.
    """

    def __init__(self, known: Rows, equal: NDArray[np.bool_]) -> None:
        self._equal = equal
        self._sorted = [np.sort(column[~np.isnan(column)]) for column in known.T]

    def places(self, rows: Rows) -> Places:
        """Return rows as this ruler measures them, float32 of the same shape."""
        found = np.empty(rows.shape, np.float32)
        for place, (column, known) in enumerate(zip(rows.T, self._sorted, strict=True)):
            if self._equal[place]:
                found[:, place] = np.where(np.isnan(column), -1, column)
            else:  # in the middle of the equal ones
                below = np.searchsorted(known, column, "left")
                until = np.searchsorted(known, column, "right")
                ranks = (below + until) / (2 * max(1, len(known)))
                found[:, place] = np.where(np.isnan(column), _NOWHERE, ranks)
        return found

    def nearest(self, rows: Places, others: Places, k: int = 1) -> NDArray[np.float32]:
        """Return how far the ``k`` nearest others of each row are, rising, shape ``(n, k)``."""
        parts = [
            np.sort(np.partition(apart.sum(0), k - 1, axis=1)[:, :k], axis=1)
            for apart in self._apart(rows, others)
        ]
        return np.concatenate(parts)

    def nearest_without(
        self, rows: Places, others: Places, without: Sequence[Sequence[int]]
    ) -> NDArray[np.intp]:
        """Return which other is nearest to each row, some columns unseen.

        Args:
            rows: as ``places`` gives them.
            others: the same.
            without: places of columns that aren't looked at, one list after the other.

        Returns:
            shape ``(len(without), n)``.
        """
        parts = []
        for apart in self._apart(rows, others):
            whole = apart.sum(0)
            parts.append([(whole - apart[list(each)].sum(0)).argmin(1) for each in without])
        return np.concatenate([np.stack(part) for part in parts], axis=1)

    def _apart(self, rows: Places, others: Places) -> Iterator[NDArray[np.float32]]:
        """Yield distances by column, shape ``(columns, part of the rows, others)``."""
        step = max(1, _CELLS // max(1, len(others) * rows.shape[1]))
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            apart = np.empty((rows.shape[1], len(some), len(others)), np.float32)
            for place, equal in enumerate(self._equal):
                mine, theirs = some[:, place, None], others[None, :, place]
                if equal:
                    apart[place] = mine != theirs
                else:
                    np.subtract(mine, theirs, out=apart[place])
                    np.abs(apart[place], out=apart[place])
                    np.minimum(apart[place], 1, out=apart[place])
            yield apart
