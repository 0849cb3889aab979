"""What an approximate index of many items takes and finds: ``python -m bench.approximate ITEMS``.

The vectors are drawn: items around 1,000 centres, users around the same. Prints ``{"items", "dim",
"build_seconds", "recall", "k", "exact_ms", "approximate_ms", "whole"}``: the share of the exact
lists that the index finds, milliseconds for a user's list, bytes of the largest memory.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from genkit_recsys.archive import Archive
from genkit_recsys.histories import Histories
from genkit_recsys.index import ItemIndex
from genkit_recsys.rankings import exact_rankings
from genkit_recsys.recommending import Filters

from bench.memory import largest

DIM, CENTRES, USERS, SEEN = 64, 1_000, 512, 20


class Vectors:
    """A stand-in for a recommender that scores by vectors.

    Args:
        n_items: how many items.
    """

    def __init__(self, n_items: int) -> None:
        rng = np.random.default_rng(0)
        centres = rng.standard_normal((CENTRES, DIM), dtype=np.float32)

        def around(n: int) -> np.ndarray:
            spread = rng.standard_normal((n, DIM), dtype=np.float32)
            return centres[rng.integers(CENTRES, size=n)] + 0.5 * spread

        self.n_items, self.item_vectors, self._users = n_items, around(n_items), around(USERS)
        names = [str(number) for number in range(n_items)]
        pairs = np.repeat(np.arange(USERS), SEEN), rng.integers(n_items, size=USERS * SEEN)
        seen = Histories.of_pairs(*pairs, USERS, n_items)
        self.archive = Archive(names[:USERS], names, names, [""] * n_items, seen)

    def vectors_of(self, histories: Histories, users: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Return the vector of each user."""
        return self._users[users]

    def scores(self, histories: Histories, users: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Score all items for each user."""
        scores: np.ndarray = self._users[users] @ self.item_vectors.T
        return scores


def milliseconds(rankings: Iterator[Any]) -> float:
    """Time what makes a list for every user; give the time of one."""
    started = time.perf_counter()
    users = sum(len(block) for block, _, _ in rankings)
    return round(1e3 * (time.perf_counter() - started) / users, 2)


def main() -> None:
    """Draw, index, and tell."""
    model: Any = Vectors(int(sys.argv[1]))
    users, filters = np.arange(USERS, dtype=np.int32), Filters(reasons=0)
    started = time.perf_counter()
    index = ItemIndex(model)
    told = {
        "items": model.n_items,
        "dim": DIM,
        "build_seconds": round(time.perf_counter() - started, 1),
        **index.measure_recall(users, filters),
        "exact_ms": milliseconds(exact_rankings(model, users, filters)),
        "approximate_ms": milliseconds(index.rankings(users, filters)),
        "whole": largest(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
