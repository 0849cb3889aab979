"""An approximate index of items, for catalogues too long to score one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError, UsageError
from genkit_recsys.histories import Histories
from genkit_recsys.ranking import Scorer, blocks
from genkit_recsys.rankings import Block, ranked
from genkit_recsys.recommending import Filters

_ASKED = 200
"""Users that the recall is measured on."""
_SPARE = 4
"""Candidates for each item that is asked for, which are then scored exactly."""


class ItemIndex:
    """Finds the items with the largest inner products with a user's vector, nearly always.

    A hierarchical navigable small-world graph (Malkov and Yashunin 2018), of usearch.

    Args:
        model: a recommender with ``item_vectors`` and ``vectors_of``.

    Raises:
        UsageError: the model has no vectors of items.
        DataError: usearch is not installed.
    """

    def __init__(self, model: Scorer) -> None:
        if not hasattr(model, "item_vectors"):
            raise UsageError(
                f"Expected a model that scores by vectors of items; {type(model).__name__} "
                "has none.",
                "Recommend without --approximate: that is exact.",
            )
        try:
            from usearch.index import Index
        except ImportError as error:
            raise DataError(
                "Expected usearch, which makes approximate indices; it is not installed.",
                "Install it with: pip install 'genkit-keras-recsys[ann]'",
            ) from error
        self._model: Any = model
        self._vectors = np.ascontiguousarray(self._model.item_vectors)
        self._index = Index(ndim=self._vectors.shape[1], metric="ip", dtype="f32")
        self._index.add(np.arange(len(self._vectors)), self._vectors)

    def rankings(self, users: NDArray[np.int32], filters: Filters) -> Iterator[Block]:
        """Yield blocks of users with their items and scores.

        Raises:
            UsageError: filters that need the scores of all items.
        """
        if filters.having or filters.lacking or filters.diversity or filters.novelty:
            raise UsageError(
                "Expected no --where, --diversity or --novelty with --approximate: they look at "
                "all items.",
                "Leave out --approximate.",
            )
        histories = self._model.archive.seen.take(users)
        wanted = self._candidates(histories, filters)
        n_items, dim = self._vectors.shape
        # A block holds its candidates' vectors, and a model of dense histories these.
        for rows in blocks(len(users), max(wanted * dim, n_items)):
            yield self._ranked(users[rows], histories.take(rows), wanted, filters)

    def measure_recall(self, users: NDArray[np.int32], filters: Filters) -> dict[str, Any]:
        """Measure what share of the exact lists the index finds, on some of the users."""
        spread = np.unique(np.linspace(0, len(users) - 1, min(_ASKED, len(users))).astype(int))
        asked = users[spread]
        histories = self._model.archive.seen.take(asked)
        _, exact, _ = ranked(self._model, asked, histories, filters)
        found = np.concatenate([items for _, items, _ in self.rankings(asked, filters)])
        shares = [
            len(set(ours.tolist()) & set(right[right >= 0].tolist())) / max((right >= 0).sum(), 1)
            for ours, right in zip(found, exact, strict=True)
        ]
        return {"recall": float(np.mean(shares)), "users": len(asked), "k": filters.k}

    def _candidates(self, histories: Histories, filters: Filters) -> int:
        """Return how many items to take from the index: as many more as the longest history."""
        longest = int(histories.lengths.max(initial=0)) if filters.exclude_seen else 0
        return min(_SPARE * filters.k + longest, len(self._vectors))

    def _ranked(
        self, users: NDArray[np.int32], histories: Histories, wanted: int, filters: Filters
    ) -> Block:
        """Take candidates from the index, and score them."""
        vectors = self._model.vectors_of(histories, users)
        near = self._index.search(vectors, wanted)
        items = near.keys.astype(np.int64).reshape(len(users), -1)
        # A search may end with fewer than it was asked for; that for one user tells no counts.
        counts = np.reshape(getattr(near, "counts", items.shape[1]), (-1, 1))
        missing = np.arange(items.shape[1]) >= counts
        items[missing] = 0
        scores = np.einsum("uid,ud->ui", self._vectors[items], vectors)
        scores[missing] = -np.inf
        if filters.exclude_seen:
            rows = np.repeat(np.arange(len(users)), items.shape[1])
            seen = histories.contains(rows, items.ravel()).reshape(items.shape)
            scores[seen] = -np.inf
        order = np.lexsort((items, -scores), axis=1)[:, : filters.k]
        items = np.take_along_axis(items, order, axis=1)
        scores = np.take_along_axis(scores, order, axis=1)
        return users, np.where(np.isneginf(scores), -1, items), scores.astype(np.float32)
