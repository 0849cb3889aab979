"""A part of the items of a source: how it is chosen, and data held out from training."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.data.noise import permutation
from genkit.data.source import Source
from genkit.errors import DataError

if TYPE_CHECKING:
    from numpy.random import Generator

    from genkit.data.source import Batch

HELD_OUT_SHARE, HELD_OUT_AT_MOST = 0.1, 5000


class Subset(Source):
    """Some items of a source.

    Args:
        source: all of them.
        indices: which, in their new order; integers, shape ``(items,)``.
    """

    def __init__(self, source: Source, indices: NDArray[np.integer]) -> None:
        self.source, self.indices = source, np.asarray(indices)
        self.schema, self.augment, self.assets = source.schema, source.augment, source.assets
        self.assets_cost = source.assets_cost
        self.skipped, self.left_out = source.skipped, source.left_out

    def __len__(self) -> int:
        return len(self.indices)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices of the part."""
        return self.source.gather(self.indices[indices])

    def draw(self, indices: NDArray[np.integer], rng: Generator) -> Batch:
        """Draw what the whole draws for these items."""
        return self.source.draw(self.indices[indices], rng)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the whole's fingerprint and of which items they are."""
        digest = hashlib.sha256(self.source.fingerprint().encode())
        digest.update(self.indices.astype("<i8").tobytes())
        return digest.hexdigest()


def hold_out(source: Source, seed: int) -> tuple[Subset, Subset]:
    """Divide items into those to learn from and a tenth, at most 5,000, held out from training.

    Args:
        source: all items.
        seed: of which are held out, from 0 to 2^31 - 1.

    Returns:
        the items to learn from, and those held out, each in the order of the source.

    Raises:
        DataError: fewer than two items.
    """
    count = held_out_of(len(source))
    if count == len(source):
        raise DataError(f"Expected two items or more to hold one out; received {count}.")
    order = permutation(seed, 0, len(source))
    return Subset(source, np.sort(order[count:])), Subset(source, np.sort(order[:count]))


def held_out_of(items: int) -> int:
    """Return how many of so many items ``hold_out`` holds out."""
    return max(1, min(HELD_OUT_AT_MOST, int(items * HELD_OUT_SHARE)))


def rows_per_class(
    labels: NDArray[Any], classes: int, per_class: int, seed: int, subset: int = 0
) -> NDArray[np.intp]:
    """Draw rows without replacement, as many of each class; the same on every machine.

    Args:
        labels: class numbers, shape ``(items,)``.
        classes: how many there are.
        per_class: items of each.
        seed: 0 to 2**31 - 1. The first ten of a hundred a class are those of ten a class.
        subset: which slice of a class's order to take. Slices share no item; when they are used
            up, a new order begins.

    Returns:
        row numbers, rising.

    Raises:
        DataError: a class has fewer.
    """
    chosen = []
    for number in range(classes):
        there = int((labels == number).sum())
        if there < per_class:
            raise DataError(
                f"Expected {per_class} items of each class; class {number} has {there}.",
                "Ask for fewer: --data per_class=N, or genkit augment --per-class N",
            )
        turn, place = divmod(subset, there // per_class)
        order = permutation(seed, turn, len(labels))
        rows = order[labels[order] == number]
        chosen.append(rows[place * per_class : (place + 1) * per_class])
    return np.sort(np.concatenate(chosen))
