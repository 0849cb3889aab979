"""BPR: vectors for users and items, learned from which of two items a user has."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

import genkit
from genkit.data import Source
from genkit_recsys.histories import Histories
from genkit_recsys.model_settings import BPRConfig
from genkit_recsys.models.recommender import Recommender, histories_of, users_of, weight


class BPR(Recommender):
    """Matrix factorisation with the Bayesian personalised ranking criterion.

    Rendle et al. 2009, "BPR: Bayesian Personalized Ranking from Implicit Feedback": for triples of
    a user ``u``, an item ``i`` that ``u`` has and one ``j`` that ``u`` doesn't have, drawn anew
    each time, the loss is ``-ln sigmoid(w_u . (h_i - h_j)) + l2 (|w_u|^2 + |h_i|^2 + |h_j|^2)``
    (section 4.1 and 5.1).

    A stranger's vector is solved for as in Hu et al. 2008, "Collaborative Filtering for Implicit
    Feedback Datasets", equation 4: ``w = (a H^T H + (1 - a) H_S^T H_S + l I)^-1 H_S^T 1`` for the
    vectors ``H`` of all items and ``H_S`` of the history.
    """

    config: BPRConfig
    rows: ClassVar = {"items/embeddings": (0, "items"), "users/embeddings": (0, "users")}

    def __init__(self, config: BPRConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        start = keras.initializers.RandomNormal(stddev=0.1)
        self.users = keras.layers.Embedding(self.n_users, config.dim, embeddings_initializer=start)
        self.items = keras.layers.Embedding(
            self.n_items, config.dim, embeddings_initializer=keras.initializers.RandomNormal(0, 0.1)
        )
        self.users.build()
        self.items.build()
        self.add_optimizer(
            "vectors", keras.optimizers.Adam(config.learning_rate), self.users, self.items
        )

    def examples(self, source: Source) -> Source:
        return Triples(source, self.history_field, source.schema.name_of("user"))

    def loss(self, batch: dict[str, Any]) -> Any:
        """Return the mean loss of triples ``owner``, ``had`` and ``missed``, int32 ``(batch,)``."""
        w = self.users(batch["owner"])
        h_i, h_j = self.items(batch["had"]), self.items(batch["missed"])
        margin = ops.sum(w * (h_i - h_j), axis=-1)
        squares = ops.sum(ops.square(w) + ops.square(h_i) + ops.square(h_j), axis=-1)
        return ops.mean(ops.softplus(-margin) + self.config.l2 * squares)

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        loss, _ = minimize("vectors", self.loss, batch)
        return {"loss": loss}

    def score_histories(self, histories: Histories, users: np.ndarray) -> np.ndarray:
        found: NDArray[np.float32] = self.vectors_of(histories, users) @ self.item_vectors.T
        return found

    @property
    def item_vectors(self) -> NDArray[np.float32]:
        """The vectors of all items, shape ``(items, dim)``; scores are products with them."""
        return weight(self.items.embeddings)

    def vectors_of(self, histories: Histories, users: np.ndarray) -> NDArray[np.float32]:
        """Return the vector of each user: the learned one, or for a stranger the solution."""
        learned: NDArray[np.float32] = weight(self.users.embeddings)
        vectors: NDArray[np.float32] = learned[np.maximum(users, 0)]
        strangers = np.flatnonzero(users < 0)
        if len(strangers):
            everything = self.item_vectors.astype(np.float64)
            gram = self.config.fold_in_weight * (everything.T @ everything)
            gram[np.diag_indices_from(gram)] += self.config.fold_in_l2
            for row in strangers:
                chosen = everything[histories[int(row)]]
                own = gram + (1 - self.config.fold_in_weight) * (chosen.T @ chosen)
                vectors[row] = np.linalg.solve(own, chosen.sum(axis=0))
        return vectors


class Triples(Source):
    """A training example for each interaction: its user, its item, and one the user doesn't have.

    Args:
        source: users with their histories.
        history: name of its field of interactions.
        user: name of its field of users' numbers.
    """

    def __init__(self, source: Source, history: str, user: str) -> None:
        self._source = source
        self._histories = histories_of(source, history)
        self._rows = self._histories.rows_of_pairs()
        self._users = users_of(source, user)
        order = np.lexsort((self._histories.items, self._rows))
        # With a user's items in order, item number p less its place counts the items not had
        # before it: the r-th item not had is r plus how many of these counts are at most r.
        places = np.arange(len(order)) - self._histories.starts[self._rows[order]]
        self._before = self._histories.items[order] - places
        self._key = self._rows[order] * (self._histories.n_items + 1) + self._before
        one = genkit.Field((), "int32", "number")
        self.schema = genkit.Schema({"owner": one, "had": one})

    def __len__(self) -> int:
        return len(self._rows)

    def gather(self, indices: NDArray[np.integer]) -> dict[str, np.ndarray]:
        """Return the users and the items at these indices."""
        return {
            "owner": self._users[self._rows[indices]].astype(np.int32),
            "had": self._histories.items[indices],
        }

    def draw(self, indices: NDArray[np.integer], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw for each user an item that it doesn't have, each with the same chance."""
        rows = self._rows[indices]
        n_items = self._histories.n_items
        free = np.maximum(n_items - self._histories.lengths[rows], 1)
        r = (rng.random(len(rows)) * free).astype(np.int64)
        last = np.searchsorted(self._key, rows * (n_items + 1) + r, side="right")
        missed = r + last - self._histories.starts[rows]
        return {"missed": np.minimum(missed, n_items - 1).astype(np.int32)}

    def fingerprint(self) -> str:
        """Return the fingerprint of what they are made of."""
        return self._source.fingerprint()
