"""What all recommenders have in common: scores for histories, and what comes of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.cli.output import note
from genkit.data import Batch, Source, items_of
from genkit.errors import DataError, UsageError
from genkit_recsys.archive import Archive
from genkit_recsys.histories import Histories
from genkit_recsys.joins import meeting
from genkit_recsys.models.dense_rows import dense_rows
from genkit_recsys.old_files import as_today, is_old
from genkit_recsys.ranking import blocks
from genkit_recsys.recommending import Filters, Recommendation, Request, choose
from genkit_recsys.source import InteractionSource, schema_of

STRANGER = -1
_BLOCK = 1024
_MOST_REASONED = 512
"""Newest items of a history that reasons are looked for in."""


class Recommender(genkit.Model):
    """A model that scores all items for a history.

    A subclass defines ``score_histories``, or on tensors ``score``, and names in ``rows`` its
    weights that have a row for each item or user.

    Args:
        config: the model's settings.
        schema: data with a field of modality ``interactions``, item numbers of varying length or
            a row of ones and zeros, and one of ``user``.
    """

    rows: ClassVar[Mapping[str, tuple[int, Literal["items", "users"]]]] = {}
    """Weights by name, as in a checkpoint, each with the axis that follows ids, and whose."""

    def __init__(self, config: genkit.Config, schema: genkit.Schema) -> None:
        super().__init__(config, schema)
        self.history_field = schema.name_of("interactions")
        self.n_items = _n_items(schema[self.history_field])
        users = schema[schema.name_of("user")].range or (-1.0, 0.0)
        self.n_users = int(users[1]) + 1

    def bind(
        self,
        schema: genkit.Schema,
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
        spec: genkit.ModelSpec | None = None,
    ) -> None:
        """Bind the model to its data; that of an old file is made what it is in today's."""
        if is_old(assets):
            archive = Archive.from_assets(as_today(assets))
            self.schema, _ = schema_of(archive.users, archive.items)
            assets = archive.to_assets()
        super().bind(schema, assets, spec)

    @cached_property
    def archive(self) -> Archive:
        """What the model keeps of its data: ids, titles, what was seen."""
        if not Archive.is_in(self.assets):
            raise UsageError(
                "The model doesn't know its data's ids.",
                "Train it on a data set of interactions: genkit list datasets",
            )
        return Archive.from_assets(self.assets)

    def scores(self, histories: Histories, users: np.ndarray | None = None) -> np.ndarray:
        """Score all items for each history; higher is better.

        An empty history is scored by popularity: there is nothing to go by.

        Args:
            histories: what is known of each user.
            users: their numbers, -1 for strangers; without them all are strangers. A model that
                learned a vector for each user takes that of a user it knows.

        Returns:
            float32 of shape ``(users, items)``.
        """
        if users is None:
            users = np.full(len(histories), STRANGER, np.int32)
        found = self.score_histories(histories, users).astype(np.float32, copy=False)
        empty = histories.lengths == 0
        if empty.any():
            found = found.copy()
            found[empty] = self.archive.popularity
        return found

    def score_histories(self, histories: Histories, users: np.ndarray) -> np.ndarray:  # noqa: ARG002
        """Score all items for each history, by default with ``score`` on dense rows."""
        return self.map_histories("score", histories)

    def map_histories(self, method: str, histories: Histories) -> np.ndarray:
        """Run a method that takes dense histories, as ``score`` does, over any number of them."""
        items, lengths = histories.padded()
        return self.map_items("on_dense_rows", {"method": method}, items=items, lengths=lengths)

    def on_dense_rows(self, items: Any, lengths: Any, method: str) -> Any:
        """Run a method on histories that become dense on the device; on tensors."""
        return getattr(self, method)(dense_rows(items, lengths, self.n_items))

    def dense_histories(self, batch: dict[str, Any]) -> Any:
        """Return the histories of a training batch as dense rows, on tensors.

        Returns:
            float32 of shape ``(batch, items)``, 1 where there was an interaction and 0 elsewhere.
        """
        history, lengths = batch[self.history_field], batch.get(f"{self.history_field}_length")
        return history if lengths is None else dense_rows(history, lengths, self.n_items)

    def score(self, history: Any) -> Any:
        """Score all items for dense histories, shape ``(batch, items)``; on tensors."""
        raise NotImplementedError(f"{type(self).__name__} defines no score.")

    def recommend(self, requests: list[Request], **options: Any) -> list[list[Recommendation]]:
        """Recommend items to each of some people.

        Args:
            requests: whom to.
            **options: fields of ``Filters``.

        Returns:
            a list for each; shorter than ``k`` where there are too few candidates.

        Raises:
            UsageError: a filter out of range, or an attribute that no item has.
        """
        filters = Filters(**options)
        histories = Histories.of_lists([list(r.history) for r in requests], self.n_items)
        scores = self.scores(histories, np.array([r.user for r in requests], np.int32))
        found = []
        for row, items in enumerate(choose(self.archive, scores, histories, filters)):
            chosen = [int(item) for item in items if item >= 0]
            reasons = self._reasons(requests[row].history, chosen, filters.reasons)
            found.append(
                [
                    Recommendation(item, float(scores[row, item]), because)
                    for item, because in zip(chosen, reasons, strict=True)
                ]
            )
        return found

    def _reasons(
        self, history: tuple[int, ...], items: list[int], most: int
    ) -> list[tuple[int, ...]]:
        """Return for each item the items of the history that weigh most in its score.

        An item of the history weighs as much as the score falls when it is taken out of it: for
        linear models exactly its part of the score. A vector learned for the user has no part in
        that.
        """
        history = history[-_MOST_REASONED:]
        if not (most and history and items):
            return [()] * len(items)
        one = Histories.of_lists([list(history)], self.n_items)
        all_but_one = [one.without(0, place) for place in range(len(history))]
        asked = Histories.of_lists([list(history), *all_but_one], self.n_items)
        strangers = np.full(len(asked), STRANGER, np.int32)
        scores = np.concatenate(
            [
                self.score_histories(asked.take(rows), strangers[rows])[:, items]
                for rows in blocks(len(asked), self.n_items)
            ]
        )
        weights = scores[0] - scores[1:]  # (history, items)
        heaviest = np.argsort(-weights, axis=0, kind="stable")[:most]
        return [
            tuple(history[place] for place in heaviest[:, column] if weights[place, column] > 0)
            for column in range(len(items))
        ]

    def adopt(
        self,
        name: str,
        ours: np.ndarray,
        theirs: np.ndarray,
        assets: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        """Put the rows of items and users that both know where this model has them.

        New ones keep the rows that this model began with.

        Raises:
            DataError: the models know no item in common.
        """
        if name not in self.rows or not Archive.is_in(assets):
            return theirs
        axis, whose = self.rows[name]
        old, new = Archive.from_assets(as_today(assets)), self.archive
        known = old.item_numbers if whose == "items" else old.user_numbers
        ids = new.items if whose == "items" else new.users
        there = [(place, known[each]) for place, each in enumerate(ids) if each in known]
        if not there:
            apart = meeting(whose, ids, known, "the data that the run of --init was trained on")
            if whose == "items":
                raise DataError(f"Expected items in common; {apart}", "Write ids in one way.")
            note(apart)
            return ours
        fits = (
            theirs.ndim == ours.ndim
            and theirs.shape[axis] == len(known)
            and np.delete(theirs.shape, axis).tolist() == np.delete(ours.shape, axis).tolist()
        )
        if not fits:
            return theirs
        places, numbers = np.array(there).T
        adopted = np.moveaxis(ours.copy(), axis, 0)
        adopted[places] = np.moveaxis(theirs, axis, 0)[numbers]
        return np.moveaxis(adopted, 0, axis)


def histories_of(source: Source, field: str) -> Histories:
    """Return the histories of a source, sparse; another kind of source is read in blocks."""
    if isinstance(source, InteractionSource):
        return source.histories
    items, lengths = [], []
    for block in _blocks(source):
        rows = items_of(block, source.schema, field)
        if not source.schema[field].varies:
            rows = [np.flatnonzero(row) for row in rows]
        items.append(np.concatenate(rows).astype(np.int32))
        lengths += [len(row) for row in rows]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return Histories(starts, np.concatenate(items), _n_items(source.schema[field]))


def users_of(source: Source, field: str) -> NDArray[np.int32]:
    """Return the users' numbers of a source, -1 for strangers."""
    if isinstance(source, InteractionSource):
        return source.users
    return np.concatenate(
        [
            np.where(block.get(f"{field}_missing", False), np.int32(STRANGER), block[field])
            for block in _blocks(source)
        ]
    )


def _blocks(source: Source) -> Iterator[Batch]:
    for start in range(0, len(source), _BLOCK):
        yield source.gather(np.arange(start, min(start + _BLOCK, len(source))))


def _n_items(field: genkit.Field) -> int:
    """Return how many items a field of interactions knows.

    Raises:
        UsageError: it doesn't say.
    """
    if not field.varies:
        return field.shape[0] or 0
    if field.range is None:
        raise UsageError(
            "Expected interactions with a known number of items; the field has no range.",
            "Name the items: genkit.data.with_vocabulary",
        )
    return int(field.range[1]) + 1


def weight(variable: Any) -> np.ndarray:
    """Return a variable's value as an array."""
    import keras

    return np.asarray(keras.ops.convert_to_numpy(variable.value))
