"""Measures of rankings, for many users at once.

Names and definitions are those of trec_eval where it has them: ``recall@k`` divides by all relevant
items, ``map@k`` too, ``ndcg@k`` has a gain of 1 and the discount ``1 / log2(1 + rank)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEEPEST = 100
LIST = 10
"""Length of the lists that coverage, novelty, diversity and groups look at."""

DEFINITIONS = {
    "recall": "hits over all relevant items",
    "capped-recall": "hits over the relevant items, but at most k",
    "precision": "hits over k",
    "hit": "whether there is a hit",
    "mrr": "1 over the rank of the first hit",
    "map": "mean over all relevant items of the precision at their rank",
    "ndcg": "sum over hits of 1 / log2(1 + rank), over the largest that is possible",
}
DEPTHS = {
    "recall": (10, 20, 50),
    "capped-recall": (20, 50),
    "precision": (10,),
    "hit": (10,),
    "mrr": (10,),
    "map": (10,),
    "ndcg": (10, 100),
}


def measure_hits(
    hits: NDArray[np.bool_], relevant: NDArray[np.integer]
) -> dict[str, NDArray[np.float64]]:
    """Measure rankings of some users.

    Args:
        hits: whether the item at each rank is relevant, shape ``(users, depth)``; ranks beyond
            ``depth`` have none.
        relevant: how many relevant items each user has, at least 1.

    Returns:
        a value for each user, by name: ``recall@10``, ...
    """
    depth = hits.shape[1]
    hit = hits.astype(np.float64)
    ranks = np.arange(1, depth + 1)
    found = np.cumsum(hit, axis=1)
    gains = np.cumsum(hit / np.log2(ranks + 1), axis=1)
    ideal = np.cumsum(1 / np.log2(np.arange(1, DEEPEST + 1) + 1))
    precisions = np.cumsum(hit * found / ranks, axis=1)
    first = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, np.inf)

    def at(name: str, k: int) -> NDArray[np.float64]:
        last = min(k, depth) - 1
        values: dict[str, Callable[[], NDArray[Any]]] = {
            "recall": lambda: found[:, last] / relevant,
            "capped-recall": lambda: found[:, last] / np.minimum(relevant, k),
            "precision": lambda: found[:, last] / k,
            "hit": lambda: found[:, last] > 0,
            "mrr": lambda: np.where(first <= k, 1 / first, 0.0),
            "map": lambda: precisions[:, last] / relevant,
            "ndcg": lambda: gains[:, last] / ideal[np.minimum(relevant, k) - 1],
        }
        return np.asarray(values[name](), np.float64)

    return {f"{name}@{k}": at(name, k) for name, depths in DEPTHS.items() for k in depths}


def gini(exposure: NDArray[np.integer]) -> float:
    """Return the Gini coefficient of how often each item is recommended: 0 equal, 1 one item alone.

    Args:
        exposure: counts, shape ``(items,)``, not all 0.
    """
    ordered = np.sort(exposure)
    n = len(ordered)
    ranks = np.arange(1, n + 1)
    return float(2 * (ranks * ordered).sum() / (n * ordered.sum()) - (n + 1) / n)


def coverage_error(lists: NDArray[np.integer], n_items: int) -> float:
    """Return the standard error of coverage over users, by the jackknife.

    Without a user, coverage falls by the items that nobody else was recommended.

    Args:
        lists: recommended items, shape ``(users, k)``, -1 for none.
        n_items: how many items there are.
    """
    exposure = np.bincount(lists[lists >= 0], minlength=n_items)
    alone = np.where(lists >= 0, exposure[np.maximum(lists, 0)] == 1, False).sum(axis=1) / n_items
    n = len(lists)
    return float(np.sqrt((n - 1) / n * np.square(alone - alone.mean()).sum()))


def gini_error(lists: NDArray[np.integer], n_items: int) -> float:
    """Return the standard error of the Gini coefficient over users, by the infinitesimal jackknife.

    A user's influence is the derivative of the coefficient along that user's list, with ranks of
    equal counts averaged.

    Args:
        lists: recommended items, shape ``(users, k)``, -1 for none.
        n_items: how many items there are.
    """
    exposure = np.bincount(lists[lists >= 0], minlength=n_items)
    values, place, counts = np.unique(exposure, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    rank = ((ends - counts + 1 + ends) / 2)[place] if len(values) else exposure
    there = lists >= 0
    mean_length = max(there.sum() / len(lists), 1e-9)
    influence = np.where(there, 2 * rank[np.maximum(lists, 0)], 0.0).sum(axis=1)
    influence = influence / (n_items * mean_length)
    spread = influence.std(ddof=1) if len(lists) > 1 else 0.0
    return float(spread / np.sqrt(len(lists)))


def novelty(lists: NDArray[np.integer], share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean self-information of each list, in bits: how rarely its items are had.

    Zhou et al. 2010, "Solving the apparent diversity-accuracy dilemma", equation 6.

    Args:
        lists: shape ``(users, k)``, -1 for none.
        share: of training users that have each item; an item nobody has counts as had by one.
    """
    there = lists >= 0
    bits = np.where(there, -np.log2(share[np.maximum(lists, 0)]), 0.0).sum(axis=1)
    found: NDArray[np.float64] = bits / np.maximum(there.sum(axis=1), 1)
    return found


def diversity(
    lists: NDArray[np.integer], similar: NDArray[np.float32], place: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return 1 minus the mean similarity of pairs in each list.

    Ziegler et al. 2005, "Improving Recommendation Lists Through Topic Diversification".

    Args:
        lists: shape ``(users, k)``, -1 for none.
        similar: similarities of the items that occur.
        place: of each item in ``similar``, by item number.
    """
    there = lists >= 0
    places = place[np.maximum(lists, 0)]
    pairs = similar[places[:, :, None], places[:, None, :]]
    both = there[:, :, None] & there[:, None, :] & ~np.eye(lists.shape[1], dtype=bool)
    count = both.sum(axis=(1, 2))
    mean = np.where(both, pairs, 0.0).sum(axis=(1, 2)) / np.maximum(count, 1)
    return np.asarray(np.where(count > 0, 1.0 - mean, 0.0))


def thirds(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return each user's third by a value: 0 low, 1 middle, 2 high; of equal values one third."""
    low, high = np.quantile(values, [1 / 3, 2 / 3])
    return np.asarray((values > low).astype(np.int64) + (values > high))
