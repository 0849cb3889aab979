"""A fair choice of the rows of a stream, in bounded memory."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from genkit.errors import UsageError


class Kept:
    """Rows of a stream: all of them up to a limit, then a simple random sample of that size.

    Every row draws a priority when it comes by, and the rows with the lowest stay (Knuth, "The Art
    of Computer Programming" 2, section 3.4.2). So the choice depends on the seed and on the row's
    place in the stream, not on how the stream is cut into batches, nor into parts that are merged.
    Two streams of equal length and equal seed keep the same places.

    Args:
        limit: how many rows stay; memory holds at most three times as many.
        seed: of the priorities.
    """

    def __init__(self, limit: int, seed: int) -> None:
        self.limit = limit
        self.seen = 0
        self._next = 0
        self._seed = seed
        self._rng = np.random.default_rng(seed)
        self._bar = np.inf
        self._chunks: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._waiting = 0

    def add(self, rows: np.ndarray, begin: int | None = None) -> None:
        """Look at rows of the stream.

        Args:
            rows: shape ``(n, ...)``; of those that stay a copy is made.
            begin: the place of the first; None if they follow on those before.
        """
        if begin is not None and begin != self._next:
            # One number was drawn for each place: the generator goes to any of them at once.
            self._rng = np.random.default_rng(self._seed)
            self._rng.bit_generator.advance(begin)  # type: ignore[attr-defined]
            self._next = begin
        priorities = self._rng.random(len(rows))
        places = np.arange(self._next, self._next + len(rows))
        self._next += len(rows)
        low = priorities < self._bar
        if not low.any():
            self.seen += len(rows)
            return
        self._chunks.append((priorities[low], places[low], rows[low]))
        self.seen += len(rows)
        self._waiting += int(low.sum())
        if self._waiting >= self.limit:
            self._trim()

    def __len__(self) -> int:
        return min(self.seen, self.limit)

    @property
    def rows(self) -> np.ndarray:
        """What was kept, shape ``(len(self), ...)``, in random order."""
        self._trim()
        return self._chunks[0][2]

    @property
    def places(self) -> np.ndarray:
        """The place of each kept row in the stream, from 0; int64."""
        self._trim()
        return self._chunks[0][1]

    def state(self) -> Mapping[str, np.ndarray]:
        """Return what was kept, and of how many."""
        counts = {"seen": np.array(self.seen)}
        if not self._chunks:
            return counts
        self._trim()
        priorities, places, rows = self._chunks[0]
        return {**counts, "priorities": priorities, "places": places, "rows": rows}

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up what was kept of other places of the stream."""
        self.seen += int(state["seen"])
        if "rows" in state:
            self._chunks.append((state["priorities"], state["places"], state["rows"]))
            self._waiting += len(state["rows"])
            if self._waiting >= self.limit:
                self._trim()

    def _trim(self) -> None:
        if len(self._chunks) == 1 and not self._waiting:
            return
        priorities, places, rows = (
            np.concatenate(part) for part in zip(*self._chunks, strict=True)
        )
        lowest = np.argsort(priorities, kind="stable")[: self.limit]
        self._chunks = [(priorities[lowest], places[lowest], rows[lowest])]
        self._waiting = 0
        if len(lowest) == self.limit:
            self._bar = float(priorities[lowest[-1]])


def require(least: int, **streams: int) -> None:
    """Refuse to measure too few items.

    Args:
        least: items that each stream must have.
        **streams: how many each has.

    Raises:
        UsageError: a stream has fewer.
    """
    for name, n in streams.items():
        if n < least:
            raise UsageError(
                f"Expected {least} {name} items or more; received {n}.",
                "Measure more items, or leave this metric out.",
            )
