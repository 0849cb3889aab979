"""The archive: what a trained recommender keeps of its data: ids, titles, what was seen.

It travels as assets with the run and the exported model; its text as ``genkit.data.pack_text`` has
it, the ids under the names of the vocabularies that the schema tells of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from genkit.data import pack_text, unpack_text
from genkit.errors import DataError, RunError, UsageError
from genkit_recsys.histories import Histories

_CLOSE, _LISTED = 3, 5
_ID = "id:"
TEXTS = {
    "users": "vocabulary.user",
    "items": "vocabulary.history",
    "titles": "titles",
    "attributes": "attributes",
}
"""The assets that are text, by what they are to the archive."""


@dataclass(frozen=True)
class Archive:
    """What a trained recommender knows of its data.

    Args:
        users: ids by number.
        items: ids by number.
        titles: of the items.
        attributes: of the items, several parted by ``|``: genres.
        seen: what each user has interacted with in training.
        trained_until: latest time of a temporal split's training; None for others.
    """

    users: Sequence[str]
    items: Sequence[str]
    titles: Sequence[str]
    attributes: Sequence[str]
    seen: Histories
    trained_until: float | None = None

    @cached_property
    def popularity(self) -> NDArray[np.int64]:
        """How many training users have each item, shape ``(items,)``."""
        return np.bincount(self.seen.items, minlength=len(self.items))

    @cached_property
    def by_item(self) -> sparse.csc_matrix:
        """What was seen in training by item: a sparse matrix of shape ``(users, items)``."""
        return self.seen.matrix().tocsc()

    @cached_property
    def user_numbers(self) -> dict[str, int]:
        """Users' numbers by id."""
        return {name: number for number, name in enumerate(self.users)}

    @cached_property
    def item_numbers(self) -> dict[str, int]:
        """Items' numbers by id."""
        return {name: number for number, name in enumerate(self.items)}

    @cached_property
    def _by_title(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, title in enumerate(self.titles):
            found.setdefault(title.casefold(), []).append(number)
        return found

    def name(self, item: int) -> str:
        """Return an item's title, with its id if others have the same."""
        title = self.titles[item]
        shared = len(self._by_title[title.casefold()]) > 1
        return f"{title} ({_ID}{self.items[item]})" if shared else title

    def user_number(self, name: str) -> int:
        """Find a user by id.

        Raises:
            UsageError: there is none; the hint is how to recommend to strangers.
        """
        if name not in self.user_numbers:
            raise UsageError(
                f"The model knows no user {name!r}; it knows {len(self.users)}, such as "
                f"{', '.join(self.users[:_CLOSE])}.",
                'Recommend to strangers by what they like: --history "TITLE,TITLE"',
            )
        return self.user_numbers[name]

    def item_number(self, name: str) -> int:
        """Find an item by title or id, in that writing or else by title in any case.

        ``id:`` before a name says that it is an id.

        Raises:
            UsageError: there is none; the hint names the nearest titles. Or there are several;
                their ids are listed.
        """
        found = self._items_of(name)
        if not found:
            raise UsageError(f"The model knows no item {name!r}.", self._nearest(name))
        if len(found) > 1:
            listed = ", ".join(
                f"{_ID}{self.items[item]} ({self.titles[item]})" for item in found[:_LISTED]
            )
            more = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            raise UsageError(
                f"Expected one item; {name!r} may be any of {len(found)}: {listed}{more}.",
                f"Name it by its id: {_ID}{self.items[found[0]]}",
            )
        return found[0]

    def _items_of(self, name: str) -> list[int]:
        """Return the items that a name may stand for: by id or title, or else in any case."""
        if name.startswith(_ID) and (known := name.removeprefix(_ID)) in self.item_numbers:
            return [self.item_numbers[known]]
        alike = self._by_title.get(name.casefold(), [])
        exact = {item for item in alike if self.titles[item] == name}
        if name in self.item_numbers:
            exact.add(self.item_numbers[name])
        return sorted(exact) or alike

    def _nearest(self, name: str) -> str:
        import difflib

        part = name.casefold()
        near = sorted((title for title in self._by_title if part in title), key=len)[:_CLOSE]
        near = near or difflib.get_close_matches(part, self._by_title, _CLOSE)
        titles = [self.titles[self._by_title[title][0]] for title in near]
        return f"Did you mean {' or '.join(map(repr, titles))}?" if titles else "Give its id."

    def items_named(self, text: str) -> list[int]:
        """Find the items of a list parted by commas; a title may have commas itself.

        Where several titles fit, the longest is meant.

        Raises:
            UsageError: one of them is not known, or may be several.
        """
        parts = text.split(",")
        found: list[int] = []
        while parts:
            for taken in range(len(parts), 0, -1):
                name = ",".join(parts[:taken]).strip()
                if self._items_of(name):
                    break
            if name:
                found.append(self.item_number(name))
            parts = parts[taken:]
        return list(dict.fromkeys(found))

    @staticmethod
    def is_in(assets: Mapping[str, np.ndarray]) -> bool:
        """Whether assets have an archive: those of data beside training have ids alone."""
        return "seen_items" in assets

    def to_assets(self) -> dict[str, np.ndarray]:
        """Return the arrays that are kept."""
        assets: dict[str, np.ndarray] = {
            asset: pack_text(getattr(self, name)) for name, asset in TEXTS.items()
        }
        assets |= {"seen_starts": self.seen.starts, "seen_items": self.seen.items}
        if self.trained_until is not None:
            assets["trained_until"] = np.array([self.trained_until])
        return assets

    @classmethod
    def from_assets(cls, assets: Mapping[str, np.ndarray]) -> Archive:
        """Read the arrays that are kept.

        Raises:
            RunError: they are not as written.
        """
        try:
            texts = {name: unpack_text(assets[asset]) for name, asset in TEXTS.items()}
            starts = np.asarray(assets["seen_starts"], np.int64)
            items = np.asarray(assets["seen_items"], np.int32)
            seen = Histories(starts, items, len(texts["items"]))
            until = float(assets["trained_until"][0]) if "trained_until" in assets else None
        except (KeyError, ValueError, IndexError, TypeError, DataError) as error:
            raise RunError(f"The assets of the recommender are damaged: {error!r}.") from error
        n = len(texts["items"])
        sound = (
            len(seen) == len(texts["users"])
            and len(texts["titles"]) == len(texts["attributes"]) == n
            and (not len(items) or (items.min() >= 0 and items.max() < n))
            and starts[0] == 0
            and starts[-1] == len(items)
            and bool((np.diff(starts) >= 0).all())
        )
        if not sound:
            raise RunError("The assets of the recommender are damaged: they contradict another.")
        return cls(**texts, seen=seen, trained_until=until)
