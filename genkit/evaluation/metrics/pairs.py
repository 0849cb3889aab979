"""Distances and sums over all pairs of two sets, a tile at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import numpy as np

PairFn: TypeAlias = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From ``(n, dim)`` and ``(m, dim)`` to a value for each pair, ``(n, m)``."""

TILE = 512


def squared_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the squared Euclidean distance of every pair.

    Args:
        first: floats of shape ``(n, dim)``.
        second: same dtype, shape ``(m, dim)``.

    Returns:
        shape ``(n, m)``, in their dtype.
    """
    found: np.ndarray = first @ second.T
    found *= -2
    found += np.square(first).sum(axis=1)[:, None]
    found += np.square(second).sum(axis=1)
    np.maximum(found, 0, out=found)
    return found


def distance_rows(first: np.ndarray, second: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Return the squared distances of a few rows of ``first`` at a time to all of ``second``.

    Yields:
        the slice of ``first``, and float64 of shape ``(rows, len(second))``.
    """
    for start in range(0, len(first), TILE):
        rows = slice(start, min(start + TILE, len(first)))
        block = np.empty((rows.stop - start, len(second)))
        few = first[rows].astype(np.float64)
        for left in range(0, len(second), TILE):
            tile = second[left : left + TILE].astype(np.float64)
            block[:, left : left + TILE] = squared_distances(few, tile)
        yield rows, block


def nearest(
    queries: np.ndarray, references: np.ndarray, *, leave_self_out: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest reference of each query, among rows of bytes.

    Args:
        queries: uint8 of shape ``(n, dim)``.
        references: uint8 of shape ``(m, dim)``.
        leave_self_out: query ``i`` is reference ``i``, and doesn't count as its own neighbour.

    Returns:
        float64 distances and the references' positions, each of shape ``(n,)``.
    """
    best = np.full(len(queries), np.inf, np.float32)
    found = np.zeros(len(queries), np.int64)
    for left in range(0, len(references), TILE):
        some = references[left : left + TILE].astype(np.float32)
        for start in range(0, len(queries), TILE):
            rows = slice(start, start + TILE)
            tile = squared_distances(queries[rows].astype(np.float32), some)
            if leave_self_out and left == start:
                np.fill_diagonal(tile, np.inf)
            where = tile.argmin(axis=1)
            least = tile[np.arange(len(tile)), where]
            nearer = least < best[rows]
            best[rows][nearer] = least[nearer]
            found[rows][nearer] = left + where[nearer]
    return exact_distances(queries, references[found]), found


def exact_distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the distance of each row of bytes to its partner; 0 only if they are equal."""
    # What the tiles give is rounded by a few units: zero would not be told from almost zero.
    distances = np.empty(len(first))
    for start in range(0, len(first), TILE):
        rows = slice(start, start + TILE)
        difference = first[rows].astype(np.int64) - second[rows]
        distances[rows] = np.sqrt(np.square(difference).sum(axis=1))
    return distances


def sums_within(blocks: Sequence[np.ndarray], of: PairFn) -> np.ndarray:
    """Sum over all pairs of different rows.

    Args:
        blocks: the rows in parts, each ``(n, dim)``.
        of: symmetric, of every pair.

    Returns:
        float64 of shape ``(len(blocks), len(blocks))``: the sum for each pair of blocks.
    """
    sums = np.zeros((len(blocks), len(blocks)))
    for i, first in enumerate(blocks):
        for j in range(i, len(blocks)):
            values = of(first, blocks[j])
            if i == j:
                np.fill_diagonal(values, 0)
            sums[i, j] = sums[j, i] = values.sum()
    return sums


def sums_across(
    first: Sequence[np.ndarray], second: Sequence[np.ndarray], of: PairFn
) -> np.ndarray:
    """Sum over all pairs of a row of ``first`` and one of ``second``, for each pair of blocks."""
    return np.array([[of(few, others).sum() for others in second] for few in first])


def without(sums: np.ndarray, block: int) -> float:
    """Return the sum over all blocks but one."""
    return float(np.delete(np.delete(sums, block, 0), block, 1).sum())
