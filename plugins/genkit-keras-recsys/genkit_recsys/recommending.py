"""Recommendations: whom to, what decides beside the scores, and the items that come of both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genkit.errors import UsageError
from genkit_recsys.histories import Histories
from genkit_recsys.ranking import exclude, top

if TYPE_CHECKING:
    from genkit_recsys.archive import Archive

_POOL = 10
"""Candidates that diversity chooses among, for each item that is asked for."""
_LISTED = 20
"""Attributes that an error names."""


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
class Filters:
    """What else decides, beside the model's scores.

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


def choose(
    archive: Archive, scores: NDArray[np.float32], histories: Histories, filters: Filters
) -> NDArray[np.int64]:
    """Return the items for each row, best first, -1 where there are too few candidates.

    Args:
        archive: knows what was seen in training, and attributes.
        scores: shape ``(rows, items)``.
        histories: of the same rows.
        filters: what else decides.
    """
    wanted = scores.copy()
    if filters.exclude_seen:
        exclude(wanted, histories)
    wanted[:, ~_fitting(archive, filters)] = -np.inf
    if filters.novelty:
        rarity = -np.log1p(archive.popularity)
        rarity = (rarity - rarity.mean()) / max(rarity.std(), 1e-9)
        candidates = np.isfinite(wanted)
        spread = np.where(candidates, wanted, np.nan)
        with np.errstate(invalid="ignore"):
            deviation = np.nan_to_num(np.nanstd(spread, axis=1, keepdims=True)) + 1e-9
        wanted = (wanted / deviation + filters.novelty * rarity).astype(np.float32)
    if not filters.diversity:
        return top(wanted, filters.k)
    pools = top(wanted, _POOL * filters.k)
    return np.stack(
        [_diverse(archive, wanted[row], pool, filters) for row, pool in enumerate(pools)]
    )


def _fitting(archive: Archive, filters: Filters) -> NDArray[np.bool_]:
    """Return a mask of the items that have the attributes asked for."""
    fits = np.ones(len(archive.items), bool)
    if not (filters.having or filters.lacking):
        return fits
    sets = [set(text.casefold().split("|")) for text in archive.attributes]
    known = set().union(*sets) - {""}
    for name in (*filters.having, *filters.lacking):
        if name.casefold() not in known:
            raise _unknown(name, archive)
    for name in filters.having:
        fits &= np.array([name.casefold() in each for each in sets])
    for name in filters.lacking:
        fits &= np.array([name.casefold() not in each for each in sets])
    return fits


def _unknown(name: str, archive: Archive) -> UsageError:
    """Return the error of an attribute that no item has: which there are, and which is near."""
    import difflib

    written = {
        each.casefold(): each for text in archive.attributes for each in text.split("|") if each
    }
    listed = [written[form] for form in sorted(written)]
    more = f" and {len(listed) - _LISTED:,} more" if len(listed) > _LISTED else ""
    near = difflib.get_close_matches(name.casefold(), written, 1)
    return UsageError(
        f"No item has the attribute {name!r}; there are "
        f"{', '.join(listed[:_LISTED]) or 'none'}{more}.",
        f"Did you mean {written[near[0]]!r}?" if near else "",
    )


def similarities(archive: Archive, items: NDArray[np.integer]) -> NDArray[np.float32]:
    """Return the cosine similarity of items by who has them in training, shape ``(n, n)``."""
    columns = archive.by_item[:, items]
    common = (columns.T @ columns).toarray()
    norms = np.sqrt(np.maximum(common.diagonal(), 1e-9))
    similar: NDArray[np.float32] = (common / norms[:, None] / norms[None]).astype(np.float32)
    return similar


def _diverse(
    archive: Archive, scores: NDArray[np.float32], pool: NDArray[np.int64], filters: Filters
) -> NDArray[np.int64]:
    """Choose from a pool by maximal marginal relevance.

    Carbonell and Goldstein 1998, "The Use of MMR": each time the item with the largest
    ``(1 - d) relevance - d max similarity to those chosen``; relevance is the score, scaled to 0
    to 1 over the pool.
    """
    pool = pool[pool >= 0]
    chosen = np.full(filters.k, -1, np.int64)
    if not len(pool):
        return chosen
    relevance = scores[pool] - scores[pool].min()
    relevance /= max(float(relevance.max()), 1e-9)
    similar = similarities(archive, pool)
    nearest = np.zeros(len(pool), np.float32)
    for place in range(min(filters.k, len(pool))):
        marginal = (1 - filters.diversity) * relevance - filters.diversity * nearest
        best = int(marginal.argmax())
        chosen[place] = pool[best]
        relevance[best] = -np.inf
        nearest = np.maximum(nearest, similar[best])
    return chosen
