"""Recommendations: the best items for somebody, what else decides, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genkit.errors import UsageError
from genkit_recsys.histories import Histories
from genkit_recsys.ranking import blocks, exclude, top

if TYPE_CHECKING:
    from genkit_recsys.archive import Archive
    from genkit_recsys.models.recommender import Recommender

_POOL = 10
"""Candidates that diversity chooses among, for each item that is asked for."""
_MOST_REASONED = 512
"""Newest items of a history that reasons are looked for in."""


@dataclass(frozen=True)
class Request:
    """Whom to recommend to.

    Args:
        history: items, oldest first; may be empty.
        user: number of a user the model knows, or -1 for a stranger.
    """

    history: tuple[int, ...]
    user: int = -1


@dataclass(frozen=True)
class Recommendation:
    """One recommended item.

    Args:
        item: its number.
        score: the model's; comparable within one list only.
        because: items of the history that weigh most in it, heaviest first.
    """

    item: int
    score: float
    because: tuple[int, ...] = ()


@dataclass(frozen=True)
class Wishes:
    """What else decides, beside the model.

    Args:
        k: how many items.
        exclude_seen: leave out the items of the history.
        having: attributes of which an item must have each.
        lacking: attributes of which an item must have none.
        diversity: 0 to 1, how much unlikeness to the items above counts, against the score.
        novelty: how much rarity counts, in standard deviations of log popularity against those
            of the score; 0 for the score alone.
        reasons: at most how many items of the history to name.
    """

    k: int = 10
    exclude_seen: bool = True
    having: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()
    diversity: float = 0.0
    novelty: float = 0.0
    reasons: int = 3

    def __post_init__(self) -> None:
        if self.k < 1 or not 0 <= self.diversity <= 1 or self.novelty < 0 or self.reasons < 0:
            raise UsageError(
                "Expected k of at least 1, diversity from 0 to 1, novelty and reasons of 0 or "
                f"more; received {self.k}, {self.diversity}, {self.novelty} and {self.reasons}."
            )


def recommend(
    model: Recommender, requests: list[Request], **options: object
) -> list[list[Recommendation]]:
    """Recommend items to each of some people.

    Args:
        model: a trained recommender.
        requests: whom to.
        **options: fields of ``Wishes``.

    Returns:
        a list for each; shorter than ``k`` where there are too few candidates.

    Raises:
        UsageError: a wish out of range, or an attribute that no item has.
    """
    wishes = Wishes(**options)  # type: ignore[arg-type]
    histories = Histories.of_lists([list(r.history) for r in requests], model.n_items)
    scores = model.scores(histories, np.array([r.user for r in requests], np.int32))
    ranked = choose(model.archive, scores, histories, wishes)
    found = []
    for row, items in enumerate(ranked):
        chosen = [int(item) for item in items if item >= 0]
        reasons = _reasons(model, requests[row], chosen, wishes.reasons)
        found.append(
            [
                Recommendation(item, float(scores[row, item]), because)
                for item, because in zip(chosen, reasons, strict=True)
            ]
        )
    return found


def choose(
    archive: Archive, scores: NDArray[np.float32], histories: Histories, wishes: Wishes
) -> NDArray[np.int64]:
    """Give the items for each row, best first, -1 where there are too few candidates.

    Args:
        archive: knows what was seen in training, and attributes.
        scores: shape ``(rows, items)``.
        histories: of the same rows.
        wishes: what else decides.
    """
    wanted = scores.copy()
    if wishes.exclude_seen:
        exclude(wanted, histories)
    wanted[:, ~_fitting(archive, wishes)] = -np.inf
    if wishes.novelty:
        rarity = -np.log1p(archive.popularity)
        rarity = (rarity - rarity.mean()) / max(rarity.std(), 1e-9)
        candidates = np.isfinite(wanted)
        spread = np.where(candidates, wanted, np.nan)
        with np.errstate(invalid="ignore"):
            deviation = np.nan_to_num(np.nanstd(spread, axis=1, keepdims=True)) + 1e-9
        wanted = (wanted / deviation + wishes.novelty * rarity).astype(np.float32)
    if not wishes.diversity:
        return top(wanted, wishes.k)
    pools = top(wanted, _POOL * wishes.k)
    return np.stack(
        [_diverse(archive, wanted[row], pool, wishes) for row, pool in enumerate(pools)]
    )


def _fitting(archive: Archive, wishes: Wishes) -> NDArray[np.bool_]:
    """Say which items have the attributes that are wished for."""
    fits = np.ones(len(archive.items), bool)
    if not (wishes.having or wishes.lacking):
        return fits
    sets = [set(text.casefold().split("|")) for text in archive.attributes]
    known = set().union(*sets) - {""}
    for name in (*wishes.having, *wishes.lacking):
        if name.casefold() not in known:
            listed = ", ".join(sorted(known)[:20]) or "none"
            raise UsageError(f"No item has the attribute {name!r}; there are {listed}.")
    for name in wishes.having:
        fits &= np.array([name.casefold() in each for each in sets])
    for name in wishes.lacking:
        fits &= np.array([name.casefold() not in each for each in sets])
    return fits


def similarities(archive: Archive, items: NDArray[np.integer]) -> NDArray[np.float32]:
    """Give the cosine similarity of items by who has them in training, shape ``(n, n)``."""
    columns = archive.by_item[:, items]
    common = (columns.T @ columns).toarray()
    norms = np.sqrt(np.maximum(common.diagonal(), 1e-9))
    similar: NDArray[np.float32] = (common / norms[:, None] / norms[None]).astype(np.float32)
    return similar


def _diverse(
    archive: Archive, scores: NDArray[np.float32], pool: NDArray[np.int64], wishes: Wishes
) -> NDArray[np.int64]:
    """Choose from a pool by maximal marginal relevance.

    Carbonell and Goldstein 1998, "The Use of MMR": each time the item with the largest
    ``(1 - d) relevance - d max similarity to those chosen``; relevance is the score, scaled to 0
    to 1 over the pool.
    """
    pool = pool[pool >= 0]
    chosen = np.full(wishes.k, -1, np.int64)
    if not len(pool):
        return chosen
    relevance = scores[pool] - scores[pool].min()
    relevance /= max(float(relevance.max()), 1e-9)
    similar = similarities(archive, pool)
    nearest = np.zeros(len(pool), np.float32)
    for place in range(min(wishes.k, len(pool))):
        marginal = (1 - wishes.diversity) * relevance - wishes.diversity * nearest
        best = int(marginal.argmax())
        chosen[place] = pool[best]
        relevance[best] = -np.inf
        nearest = np.maximum(nearest, similar[best])
    return chosen


def _reasons(
    model: Recommender, request: Request, items: list[int], most: int
) -> list[tuple[int, ...]]:
    """Name for each item the items of the history that weigh most in its score.

    An item of the history weighs as much as the score falls when it is taken out of it: for linear
    models exactly its part of the score. A vector learned for the user has no part in that.
    """
    history = list(request.history)[-_MOST_REASONED:]
    if not (most and history and items):
        return [()] * len(items)
    one = Histories.of_lists([history], model.n_items)
    all_but_one = [one.without(0, place) for place in range(len(history))]
    asked = Histories.of_lists([history, *all_but_one], model.n_items)
    strangers = np.full(len(asked), -1, np.int32)
    scores = np.concatenate(
        [
            model.score_histories(asked.take(rows), strangers[rows])[:, items]
            for rows in blocks(len(asked), model.n_items)
        ]
    )
    weights = scores[0] - scores[1:]  # (history, items)
    heaviest = np.argsort(-weights, axis=0, kind="stable")[:most]
    return [
        tuple(history[place] for place in heaviest[:, column] if weights[place, column] > 0)
        for column in range(len(items))
    ]
