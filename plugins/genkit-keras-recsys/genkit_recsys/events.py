"""Events: who interacted with what, when, and how they liked it; and how they are cleaned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError


@dataclass(frozen=True)
class Reading:
    """What became of the rows that were read.

    Args:
        rows: how many there were.
        malformed: how many could not be read.
        reasons: how many of those by reason.
        notes: sentences on those, by reason and with the first of them, and on what is doubtful.
        repeated: how many were left out since the same user met the same item again later.
        below: how many were left out for their rating.
        outside_core: how many were left out since their user or item had too few others.
    """

    rows: int = 0
    malformed: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    repeated: int = 0
    below: int = 0
    outside_core: int = 0


@dataclass(frozen=True)
class Events:
    """Interactions as columns.

    Args:
        user: int32 user numbers, shape ``(events,)``.
        item: int32 item numbers.
        rating: float32; 1 where the data has none.
        time: float64, in whatever unit; 0 where the data has none.
        part: int8, which file an event is of: 0 training, 1 validation, 2 test.
        users: ids by number.
        items: ids by number.
        reading: what became of the rows that were read.
        timed: whether the data has times.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    time: NDArray[np.float64]
    part: NDArray[np.int8]
    users: tuple[str, ...]
    items: tuple[str, ...]
    reading: Reading = field(default_factory=Reading)
    timed: bool = True

    def __len__(self) -> int:
        return len(self.user)

    def where(self, keep: NDArray[np.bool_], **reading: Any) -> Events:
        """Keep some of the events; say in ``reading`` why the others are gone."""
        return replace(
            self,
            user=self.user[keep],
            item=self.item[keep],
            rating=self.rating[keep],
            time=self.time[keep],
            part=self.part[keep],
            reading=replace(self.reading, **reading),
        )


def clean(events: Events, min_rating: float | None, user_core: int, item_core: int) -> Events:
    """Leave each pair of user and item once, drop low ratings, take the core, number ids anew.

    Of several events of one pair within one file the latest stays, and of equally late ones the
    last that was read: a rating that was changed counts as it was changed to. A pair that is in
    several files stays in each, for the guard against leaks to find.

    Args:
        events: as they were read.
        min_rating: lower ones are no interactions; None to take all.
        user_core: fewest events of a user, each with an item of ``item_core`` events; 0 or 1 to
            take all.
        item_core: fewest events of an item.

    Raises:
        DataError: nothing is left.
    """
    order = np.lexsort((np.arange(len(events)), events.time))
    pair = events.user[order].astype(np.int64) * max(len(events.items), 1) + events.item[order]
    pair = pair * 3 + events.part[order]
    _, latest = np.unique(pair[::-1], return_index=True)
    keep = np.zeros(len(events), bool)
    keep[order[len(events) - 1 - latest]] = True
    events = events.where(keep, repeated=int((~keep).sum()))
    if min_rating is not None:
        liked = events.rating >= min_rating
        events = events.where(liked, below=int((~liked).sum()))
    core = _core(events, user_core, item_core)
    events = events.where(core, outside_core=int((~core).sum()))
    if not len(events):
        raise DataError(
            f"Expected interactions after filtering; of {events.reading.rows} rows none is left.",
            "Lower min_rating, user_core or item_core.",
        )
    return _numbered(events)


def _core(events: Events, user_core: int, item_core: int) -> NDArray[np.bool_]:
    """Return a mask of the events that remain when users and items with too few are left out.

    Leaving some out may leave others with too few, so it is done again and again.
    """
    keep = np.ones(len(events), bool)
    while True:
        users = np.bincount(events.user[keep], minlength=len(events.users))
        items = np.bincount(events.item[keep], minlength=len(events.items))
        enough = (users[events.user] >= user_core) & (items[events.item] >= item_core) & keep
        if enough.sum() == keep.sum():
            return keep
        keep = enough


def _numbered(events: Events) -> Events:
    """Number the ids that are left in their own order, whatever the order of the rows."""
    users, user = _sorted_ids(events.users, events.user)
    items, item = _sorted_ids(events.items, events.item)
    return replace(events, users=users, items=items, user=user, item=item)


def _sorted_ids(
    ids: tuple[str, ...], numbers: NDArray[np.int32]
) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    used = np.unique(numbers)
    named = [ids[number] for number in used]
    numeric = all(name.isascii() and name.isdigit() for name in named)

    def key(number: int) -> tuple[int, str, str]:  # of digits, as many as there are
        digits = named[number].lstrip("0") if numeric else ""
        return len(digits), digits, named[number]

    order = sorted(range(len(used)), key=key)
    place = np.zeros(len(ids), np.int32)
    place[used[order]] = np.arange(len(used), dtype=np.int32)
    return tuple(named[i] for i in order), place[numbers]
