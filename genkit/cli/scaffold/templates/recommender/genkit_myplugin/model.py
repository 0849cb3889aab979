"""The model; imported when it is used, after the backend was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import genkit
import numpy as np
from genkit.data import Source
from genkit.errors import DataError, UsageError
from keras import ops
from scipy.sparse import csr_array

from genkit_myplugin.settings import ItemNeighboursConfig

_MOST_ITEMS = 10_000  # their likenesses take 400 MB


@dataclass(frozen=True)
class Recommendation:
    """An item, and why it is recommended.

    Args:
        id: the number of the item.
        title: its name in the data.
        score: the higher, the better.
        because: the liked item that speaks most for it; or ``"popular"``, if none does.
    """

    id: int
    title: str
    score: float
    because: str


class ItemNeighbours(genkit.Model):
    """Recommends what was liked together with what somebody liked.

    Deshpande and Karypis 2004, "Item-Based Top-N Recommendation Algorithms", with the
    cosine: of items ``i`` and ``j``, liked by ``n_i`` and ``n_j`` people and by ``n_ij``
    together, the likeness is ``n_ij / (sqrt(n_i n_j) + shrink)``. A score is the sum of the
    likenesses to all that somebody liked.

    Nothing is trained by steps: ``solve`` counts once, and the trainer ``closed-form`` calls it.

    Args:
        config: see the settings.
        schema: data with the fields ``user`` and ``item``, of which the classes are known.

    Raises:
        DataError: the items have no titles, or are too many.
    """

    config: ItemNeighboursConfig
    schema: genkit.Schema

    def __init__(self, config: ItemNeighboursConfig, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.user, self.item = schema.name_of("user"), schema.name_of("item")
        self.titles = schema[self.item].classes
        n = len(self.titles)
        if not 0 < n <= _MOST_ITEMS:
            raise DataError(f"Expected 1 to {_MOST_ITEMS} items with titles; received {n}.")
        self.likeness = self.add_weight(shape=(n, n), initializer="zeros", name="likeness")
        self.popularity = self.add_weight(shape=(n,), initializer="zeros", name="popularity")

    def solve(self, source: Source) -> dict[str, float]:
        """Count who liked what, and what was liked together."""
        likes = source.gather(np.arange(len(source)))
        pairs = np.unique(np.stack([likes[self.user], likes[self.item]]), axis=1)
        shape = (int(pairs[0].max()) + 1, len(self.titles))
        liked = csr_array((np.ones(pairs.shape[1], "float32"), tuple(pairs)), shape)
        together = (liked.T @ liked).toarray()
        alone = together.diagonal().copy()
        np.fill_diagonal(together, 0)
        scale = np.sqrt(np.outer(alone, alone)) + self.config.shrink
        self.likeness.assign(together / np.maximum(scale, 1e-9))
        self.popularity.assign(alone / shape[0])
        return {"likes": float(alone.sum()), "likes_per_item": float(alone.mean())}

    def recommend(self, history: Sequence[int | str], k: int = 10) -> list[Recommendation]:
        """Recommend items that are not in the history.

        Args:
            history: what somebody liked, by number or title; of nothing, the popular follows.
            k: how many, at least 1; fewer if there are no more.

        Returns:
            the best first; of equal scores, the more popular first.

        Raises:
            UsageError: there is no such item, or ``k`` is too small.
        """
        if k < 1:
            raise UsageError(f"Expected k of at least 1; received {k}.")
        known = list(dict.fromkeys(self.item_number(each) for each in history))
        likeness = ops.convert_to_numpy(self.likeness)[known]
        popularity = ops.convert_to_numpy(self.popularity)
        scores = likeness.sum(axis=0) if known else popularity
        ranked = [int(i) for i in np.lexsort((-popularity, -scores)) if i not in known]
        return [
            Recommendation(
                id=item,
                title=self.titles[item],
                score=float(scores[item]),
                because=self.titles[known[int(likeness[:, item].argmax())]]
                if known and scores[item] > 0
                else "popular",
            )
            for item in ranked[:k]
        ]

    def item_number(self, item: int | str) -> int:
        """Return the number of an item, by its number or title.

        Raises:
            UsageError: there is no such item.
        """
        if item in self.titles:
            return self.titles.index(item)
        if str(item).isdecimal() and int(item) < len(self.titles):
            return int(item)
        near = get_close_matches(str(item), self.titles, n=2)
        hint = f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UsageError(f"Expected an item of the data; received {item!r}.", hint)
