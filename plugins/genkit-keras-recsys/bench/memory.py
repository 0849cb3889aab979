"""How much memory an evaluation takes: ``python -m bench.memory USERS ITEMS``.

Prints ``{"users", "items", "grown", "whole", "seconds"}``: bytes by which the largest memory of the
process grew while it evaluated, and bytes of all of it.
"""

from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np
from genkit_recsys.archive import Archive
from genkit_recsys.evaluating import measure
from genkit_recsys.histories import Histories
from genkit_recsys.source import InteractionSource

EACH = 10


class Factors:
    """A stand-in for a recommender: scores that cost next to nothing."""

    def __init__(self, archive: Archive, rng: np.random.Generator) -> None:
        self.archive, self.n_items = archive, len(archive.items)
        self._vectors = rng.standard_normal((2, self.n_items), dtype=np.float32)

    def scores(self, histories: Histories, users: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Score all items for each user."""
        weights = (users[:, None] % 7 + 1).astype(np.float32)
        return weights * self._vectors[0] + self._vectors[1]


def synthetic(users: int, items: int) -> tuple[Factors, InteractionSource]:
    """Make a model and held-out interactions, ten of each user, beside ten that are seen."""
    rng = np.random.default_rng(0)

    def some(low: int, high: int) -> Histories:
        lists = np.sort(rng.integers(low, high, (users, EACH), dtype=np.int32), axis=1)
        lists += np.arange(EACH, dtype=np.int32)  # none twice
        return Histories(np.arange(users + 1) * EACH, lists.ravel(), items)

    seen, wanted = some(0, items // 2 - EACH), some(items // 2, items - EACH)
    names = [str(number) for number in range(max(users, items))]
    archive = Archive(names[:users], names[:items], names[:items], [""] * items, seen)
    source = InteractionSource(
        wanted,
        np.arange(users, dtype=np.int32),
        (archive.users, archive.items),
        given=seen,
        excluded=seen,
    )
    return Factors(archive, rng), source


def largest() -> int:
    """Return the largest memory that this process has had, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    n_users, n_items = int(sys.argv[1]), int(sys.argv[2])
    model, data = synthetic(n_users, n_items)
    before, started = largest(), time.perf_counter()
    found = measure(model, data)  # type: ignore[arg-type]
    assert len(found.values["ndcg@10"]) == n_users
    told = {"users": n_users, "items": n_items, "grown": largest() - before, "whole": largest()}
    print(json.dumps({**told, "seconds": round(time.perf_counter() - started, 1)}))
