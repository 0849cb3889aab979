"""The most popular items for everybody."""

from __future__ import annotations

import numpy as np

import genkit
from genkit.data import Source
from genkit_recsys.histories import Histories
from genkit_recsys.models.recommender import Recommender, histories_of, weight


class Popularity(Recommender):
    """Scores an item by how many users have it: what every other model must beat.

    Ferrari Dacrema et al. 2019, "Are We Really Making Much Progress?", section 3.2.
    """

    def __init__(self, config: genkit.Config, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.counts = self.add_weight(
            shape=(self.n_items,), initializer="zeros", trainable=False, name="counts"
        )

    def solve(self, source: Source) -> dict[str, float]:
        """Count."""
        items = histories_of(source, self.history_field).items
        self.counts.assign(np.bincount(items, minlength=self.n_items).astype(np.float32))
        return {"interactions": float(len(items))}

    def score_histories(self, histories: Histories, users: np.ndarray) -> np.ndarray:  # noqa: ARG002
        return np.repeat(weight(self.counts)[None], len(histories), axis=0)
