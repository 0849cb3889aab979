"""A recommender measured on what its users did next: full rankings, a block of users at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_recsys.measures import DEEPEST, LIST, diversity, measure_hits, novelty, thirds
from genkit_recsys.ranking import Scorer, blocks, exclude, top
from genkit_recsys.recommending import similarities
from genkit_recsys.source import InteractionSource

if TYPE_CHECKING:
    from genkit_recsys.archive import Archive

_TOGETHER = 256


@dataclass(frozen=True)
class Measured:
    """What was measured of each user.

    Args:
        values: by name, ``recall@10``, ..., a value for each user.
        lists: the first items of each user's ranking, shape ``(users, 10)``, -1 for none.
        activity: which third a user is in by the length of the history.
        taste: which third by the mean popularity of the history's items.
    """

    values: dict[str, NDArray[np.float64]]
    lists: NDArray[np.int64]
    activity: NDArray[np.int64]
    taste: NDArray[np.int64]


def measure(model: Scorer, source: InteractionSource) -> Measured:
    """Rank all candidates for each user, and measure the rankings.

    Candidates are all items but those that the user is known to have. Memory is bounded by the
    scores of a block of users, whatever their number.

    Args:
        model: trained.
        source: of the split ``test`` or ``validation``.

    Raises:
        DataError: the data is not the model's, or something of it leaked into training.
    """
    check_held_out(model.archive, source)
    assert source.given is not None, "checked above"
    assert source.excluded is not None, "given and excluded come together"
    archive = model.archive
    share = np.maximum(archive.popularity, 1) / max(int((archive.seen.lengths > 0).sum()), 1)
    parts: list[dict[str, NDArray[np.float64]]] = []
    lists = []
    for rows in blocks(len(source), model.n_items):
        scores = np.array(model.scores(source.given.take(rows), source.users[rows]))
        _check_finite(scores)
        exclude(scores, source.excluded.take(rows))
        ranked = top(scores, min(DEEPEST, model.n_items))
        del scores
        guessed = source.histories.take(rows)
        depth = ranked.shape[1]
        asked = np.repeat(np.arange(len(rows)), depth)
        hits = guessed.contains(asked, ranked.ravel()).reshape(ranked.shape) & (ranked >= 0)
        values = measure_hits(hits, guessed.lengths)
        first = ranked[:, :LIST]
        values[f"novelty@{LIST}"] = novelty(first, share)
        values[f"diversity@{LIST}"] = _diversity(archive, first)
        parts.append(values)
        lists.append(first)
    values = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    popularity = archive.popularity[source.given.items].astype(np.float64)
    sums = np.add.reduceat(np.append(popularity, 0.0), source.given.starts[:-1])
    taste = sums / np.maximum(source.given.lengths, 1)
    activity = source.given.lengths.astype(np.float64)
    return Measured(values, np.concatenate(lists), thirds(activity), thirds(taste))


def check_held_out(archive: Archive, source: InteractionSource) -> None:
    """Refuse data that the model has seen, or that is not its own.

    Raises:
        DataError: what leaked, with the first user and item.
    """
    if source.given is None:
        raise DataError(
            "Expected events to guess; the split is of events to train on.",
            "Choose --split test or --split validation.",
        )
    if tuple(archive.users) != tuple(source.ids[0]) or tuple(archive.items) != tuple(source.ids[1]):
        raise DataError(
            "Expected the users and items that the model was trained with; the data has others.",
            "It has changed, or is filtered in another way: train the model on it.",
        )
    rows = source.histories.rows_of_pairs()
    numbers = _numbers(archive, source)
    known = numbers[rows] >= 0
    leaked = np.zeros(len(rows), bool)
    leaked[known] = archive.seen.contains(numbers[rows][known], source.histories.items[known])
    if leaked.any():
        first = int(np.flatnonzero(leaked)[0])
        raise DataError(
            f"Expected test events that training has not seen; {int(leaked.sum())} were in it, "
            f"first user {archive.users[numbers[rows[first]]]!r} with item "
            f"{archive.items[source.histories.items[first]]!r}.",
            "Measure with the split the model was trained with: protocol, shares and split_seed.",
        )
    if (
        archive.trained_until is not None
        and source.earliest is not None
        and archive.trained_until >= source.earliest
    ):
        raise DataError(
            f"Expected events after {archive.trained_until:.0f}, when training ended; the first "
            f"is of {source.earliest:.0f}."
        )


def _numbers(archive: Archive, source: InteractionSource) -> NDArray[np.int64]:
    """Return the users' numbers in the archive; -1 for users that training has not seen."""
    seen = archive.seen.lengths[np.maximum(source.users, 0)] > 0
    return np.where((source.users >= 0) & seen, source.users, -1)


def _diversity(archive: Archive, lists: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the diversity of each list, a few lists at a time: they have few items together."""
    found = np.zeros(len(lists))
    place = np.zeros(len(archive.items), np.int64)
    for start in range(0, len(lists), _TOGETHER):
        part = lists[start : start + _TOGETHER]
        occurring = np.unique(part[part >= 0])
        if len(occurring):
            place[occurring] = np.arange(len(occurring))
            found[start : start + _TOGETHER] = diversity(
                part, similarities(archive, occurring), place
            )
    return found


def _check_finite(scores: NDArray[np.float32]) -> None:
    if not np.isfinite(scores).all():
        raise DataError(
            "Expected finite scores from the model; it gave NaN or infinity.",
            "Its training went astray: train anew with a lower learning rate.",
        )
