"""Other items in the places of those that reviewers refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.errors import GenkitError
from genkit.report.reviewed import Reviewed

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.report.reviewing import Reviews
    from genkit.runs.model_workers import ModelWorkers

MOST_IN_A_ROW = 1000
"""Candidates that are tried for one condition before the command ends with an error."""
_TRIED = 64  # candidates that are generated at once


@dataclass(frozen=True)
class Request:
    """What is asked of a model.

    Args:
        model: generates.
        n: how many items.
        seed: of the noise.
        label: the class of all, by number, if one was asked for.
        given: values by condition, as ``Model.generate`` takes them: for all, or one an item.
        options: those of the model.
        workers: generate what was asked for in its place.
    """

    model: Model
    n: int
    seed: int
    label: int | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    workers: ModelWorkers | None = None

    def items(self) -> Iterator[dict[str, Any]]:
        """Generate what was asked for; what is wrong with it is told before the first batch."""
        return (self.workers or self.model).generate_items(
            self.n, self.seed, self.label, given=self.given, **self.options
        )

    def pieces(self) -> Iterator[Any]:
        """Generate the first item step by step, as ``Model.stream`` hands it back."""
        return self.model.stream(self.seed, self.label, given=self.given, **self.options)

    def conditions_of(self, place: int) -> tuple[int | None, dict[str, Any]]:
        """Return the class and the other conditions of one of the items."""
        given = {
            name: value[place] if isinstance(value, list) else value
            for name, value in self.given.items()
        }
        turns = self.label is None and self.model.conditional and "label" not in given
        return place % len(self.model.classes()) if turns else self.label, given

    def others(self, begin: int, like: int) -> Iterator[dict[str, Any]]:
        """Generate more items, under the conditions of one that was asked for."""
        label, given = self.conditions_of(like)
        return self.model.generate_items(
            begin + _TRIED, self.seed, label, given=given, begin=begin, **self.options
        )


class Refilling:
    """Generates items until as many have passed as were asked for.

    A refused item's place is taken by one under the same conditions, so that files keep their names
    and items the order of what was given for them. Candidates are items ``n``, ``n + 1``, ... of
    the same seed: the result follows from the request and the reviewers.

    Args:
        review: looks at all candidates, and counts what it refuses.
        request: what was asked for.
    """

    def __init__(self, review: Reviews, request: Request) -> None:
        self._review, self._request, self._next = review, request, request.n

    def all_of(self, batches: Iterator[Reviewed]) -> Iterator[Reviewed]:
        """Return batches in which every item may be written.

        Args:
            batches: reviewed items, from the first on.

        Raises:
            GenkitError: the reviewers refuse one candidate after the other.
        """
        done = 0
        for batch in batches:
            yield self._filled(batch, done)
            done += len(batch.names)

    def _filled(self, batch: Reviewed, first: int) -> Reviewed:
        alike: dict[str, list[int]] = {}
        for place in np.flatnonzero(~batch.allowed).tolist():
            conditions = self._request.conditions_of(first + place)
            alike.setdefault(repr(conditions), []).append(place)
        if not alike:
            return batch
        items = {
            name: array.copy() if isinstance(array, np.ndarray) else list(array)
            for name, array in batch.items.items()
        }
        for places in alike.values():
            self._fill(items, places, first + places[0])
        return Reviewed(items, batch.names, batch.label, np.ones(len(batch.names), bool))

    def _fill(self, items: dict[str, Any], places: list[int], like: int) -> None:
        pool: dict[str, Any] = {}
        used = size = in_a_row = 0
        while places:
            if used == size:
                pool = next(self._request.others(self._next, like))
                used, size = 0, len(next(iter(pool.values())))
            count = min(len(places), size - used)
            candidates = {name: array[used : used + count] for name, array in pool.items()}
            used, self._next = used + count, self._next + count
            allowed = self._review.allowed(candidates)
            for index in np.flatnonzero(allowed):
                place = places.pop(0)
                for name, array in candidates.items():
                    items[name][place] = array[index]
            in_a_row = 0 if allowed.any() else in_a_row + count
            if in_a_row >= MOST_IN_A_ROW:
                reasons = ", ".join(self._review.told()["reasons"])
                raise GenkitError(
                    f"The reviewers refused {in_a_row:,} items in a row, so nothing is written: "
                    f"{reasons}.",
                    "Generate without --refill, or leave a reviewer out with: "
                    "GENKIT_DISABLE_PLUGINS=PLUGIN",
                )
