"""All items ranked for many users, a block of users at a time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from genkit_recsys.histories import Histories
from genkit_recsys.ranking import Scorer, blocks
from genkit_recsys.recommending import Filters, choose

Block = tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.float32]]
"""Users, their items (best first, -1 where there are too few), and the scores of these."""


def exact_rankings(model: Scorer, users: NDArray[np.int32], filters: Filters) -> Iterator[Block]:
    """Yield blocks of users with their items and scores."""
    for rows in blocks(len(users), model.n_items):
        yield ranked(model, users[rows], model.archive.seen.take(users[rows]), filters)


def ranked(
    model: Scorer, users: NDArray[np.int32], histories: Histories, filters: Filters
) -> Block:
    """Rank all items exactly for some users."""
    scores = model.scores(histories, users)
    items = choose(model.archive, scores, histories, filters)
    return users, items, np.take_along_axis(scores, np.maximum(items, 0), axis=1)
