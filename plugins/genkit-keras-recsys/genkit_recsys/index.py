"""An approximate index of items, for catalogues too long to score one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError, UsageError
from genkit_recsys.everybody import Block, ranked
from genkit_recsys.recommending import Wishes

if TYPE_CHECKING:
    from genkit_recsys.models.recommender import Recommender

_USERS = 1024
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

    def __init__(self, model: Recommender) -> None:
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

    def rankings(self, users: NDArray[np.int32], wishes: Wishes) -> Iterator[Block]:
        """Give blocks of users with their items and scores.

        Raises:
            UsageError: wishes that need the scores of all items.
        """
        if wishes.having or wishes.lacking or wishes.diversity or wishes.novelty:
            raise UsageError(
                "Expected no --where, --diversity or --novelty with --approximate: they look at "
                "all items.",
                "Leave out --approximate.",
            )
        for start in range(0, len(users), _USERS):
            yield self._ranked(users[start : start + _USERS], wishes)

    def told(self, users: NDArray[np.int32], wishes: Wishes) -> dict[str, Any]:
        """Measure what share of the exact lists the index finds, on some of the users."""
        spread = np.unique(np.linspace(0, len(users) - 1, min(_ASKED, len(users))).astype(int))
        asked = users[spread]
        histories = self._model.archive.seen.take(asked)
        _, exact, _ = ranked(self._model, asked, histories, wishes)
        _, found, _ = self._ranked(asked, wishes)
        shares = [
            len(set(ours.tolist()) & set(right[right >= 0].tolist())) / max((right >= 0).sum(), 1)
            for ours, right in zip(found, exact, strict=True)
        ]
        return {"recall": float(np.mean(shares)), "users": len(asked), "k": wishes.k}

    def _ranked(self, users: NDArray[np.int32], wishes: Wishes) -> Block:
        """Take candidates from the index, as many more as the longest history, and score them."""
        histories = self._model.archive.seen.take(users)
        vectors = self._model.vectors_of(histories, users)
        longest = int(histories.lengths.max()) if wishes.exclude_seen else 0
        n_items = len(self._vectors)
        near = self._index.search(vectors, min(_SPARE * wishes.k + longest, n_items))
        items = near.keys.astype(np.int64).reshape(len(users), -1)
        scores = np.einsum("uid,ud->ui", self._vectors[items], vectors)
        if wishes.exclude_seen:
            rows = np.repeat(np.arange(len(users)), items.shape[1])
            seen = histories.contains(rows, items.ravel()).reshape(items.shape)
            scores = np.where(seen, -np.inf, scores)
        order = np.lexsort((items, -scores), axis=1)[:, : wishes.k]
        items = np.take_along_axis(items, order, axis=1)
        scores = np.take_along_axis(scores, order, axis=1)
        return users, np.where(np.isneginf(scores), -1, items), scores.astype(np.float32)
