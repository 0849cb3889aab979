"""Items like those of the history: nearest neighbours by cosine."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse

import genkit
from genkit.data import Source
from genkit_recsys.histories import Histories
from genkit_recsys.model_settings import ItemKNNConfig
from genkit_recsys.models.recommender import Recommender, histories_of, weight
from genkit_recsys.ranking import blocks


class ItemKNN(Recommender):
    """Scores an item by its similarity to each item of the history.

    With ``c_ij`` the number of users that have both ``i`` and ``j``, the similarity is
    ``s_ij = c_ij / (sqrt(c_ii c_jj) + shrink)``; each item ``j`` keeps its most similar ``i``, and
    the score of ``j`` for a history ``H`` is the sum of ``s_ij`` over ``i`` in ``H``.

    Sarwar et al. 2001, "Item-Based Collaborative Filtering Recommendation Algorithms"; Deshpande
    and Karypis 2004, "Item-Based Top-N Recommendation Algorithms", section 4.
    """

    config: ItemKNNConfig

    def __init__(self, config: ItemKNNConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        kept = min(config.neighbours, self.n_items)
        shape = (self.n_items, kept)
        self.neighbours = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, dtype="int32", name="neighbours"
        )
        self.similarities = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, name="similarities"
        )

    def solve(self, source: Source) -> dict[str, float]:
        """Find each item's neighbours, a block of items at a time."""
        matrix = histories_of(source, self.history_field).matrix().astype(np.float64)
        norms = np.sqrt(np.asarray(matrix.sum(axis=0)).ravel())
        by_item = matrix.T.tocsr()
        neighbours = np.zeros(tuple(self.neighbours.shape), np.int32)
        similarities = np.zeros(neighbours.shape, np.float32)
        kept = neighbours.shape[1]
        for block in blocks(self.n_items, self.n_items):
            common = (by_item[block] @ matrix).toarray()
            common[np.arange(len(block)), block] = 0.0  # no item recommends itself
            denominator = norms[block, None] * norms[None] + self.config.shrink
            similar = common / np.where(denominator > 0, denominator, 1.0)
            best = np.argpartition(-similar, kept - 1, axis=1)[:, :kept]
            neighbours[block] = best
            similarities[block] = np.take_along_axis(similar, best, axis=1)
        self.neighbours.assign(neighbours)
        self.similarities.assign(similarities)
        self.__dict__.pop("_similar", None)
        return {"mean_similarity": float(similarities.mean())}

    @cached_property
    def _similar(self) -> sparse.csr_matrix:
        """The similarities as a matrix; column ``j`` holds the neighbours that ``j`` keeps."""
        values, columns = weight(self.similarities), weight(self.neighbours)
        rows = np.repeat(np.arange(self.n_items), columns.shape[1])
        shape = (self.n_items, self.n_items)
        return sparse.csr_matrix((values.ravel(), (columns.ravel(), rows)), shape=shape)

    def score_histories(self, histories: Histories, users: np.ndarray) -> np.ndarray:  # noqa: ARG002
        return np.asarray((histories.matrix() @ self._similar).toarray())
