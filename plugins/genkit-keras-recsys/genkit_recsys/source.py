"""The source of interactions: users with their histories, sparse in memory and in batches."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.data import Source, with_vocabulary
from genkit.errors import DataError
from genkit_recsys import splitting
from genkit_recsys.archive import Archive
from genkit_recsys.histories import Histories
from genkit_recsys.old_files import old_assets
from genkit_recsys.splitting import Split

_HELD_OUT: dict[str, tuple[int, tuple[int, ...]]] = {
    # split: what is to be guessed, and what is known of a user then
    "validation": (
        splitting.VALIDATION,
        (splitting.TRAIN, splitting.GIVEN_IN_VALIDATION),
    ),
    "test": (
        splitting.TEST,
        (splitting.TRAIN, splitting.VALIDATION, splitting.GIVEN_IN_TEST),
    ),
}


class InteractionSource(Source):
    """Users and what they interacted with, sparse in memory.

    The fields are ``history``, item numbers in the order of time, as many as the user has, and
    ``user``, the user's number, which is missing for one that training has not seen. The ids are
    their vocabularies. In the splits ``validation`` and ``test`` the history is what is to be
    guessed.

    Args:
        histories: of each user of this split, in the order of time.
        users: their numbers, int32; -1 for one that training has not seen.
        ids: of all users and of all items, by number.
        archive: what a model keeps; None beside training.
        given: what a model may look at to guess, by user; None in training.
        excluded: what is no candidate, by user; None in training.
        protocol: how the data was filtered and split, for the card of figures.
        earliest: time of the first event to be guessed, in a temporal split; None in others.
    """

    def __init__(
        self,
        histories: Histories,
        users: NDArray[np.int32],
        ids: tuple[Sequence[str], Sequence[str]],
        *,
        archive: Archive | None = None,
        given: Histories | None = None,
        excluded: Histories | None = None,
        protocol: Mapping[str, object] | None = None,
        earliest: float | None = None,
    ) -> None:
        self.histories, self.users = histories, users
        self.given, self.excluded = given, excluded
        self.protocol = dict(protocol or {})
        self.earliest = earliest
        self.ids = ids
        self.archive = archive
        self.schema, vocabularies = schema_of(*ids)
        self.assets = {**vocabularies, **(archive.to_assets() if archive is not None else {})}

    def __len__(self) -> int:
        return len(self.histories)

    def gather(self, indices: NDArray[np.integer]) -> dict[str, np.ndarray]:
        """Return users at these indices, with their histories padded."""
        items, lengths = self.histories.take(indices).padded()
        users = self.users[indices]
        return {
            "history": items,
            "history_length": lengths,
            "user": np.maximum(users, 0),
            "user_missing": users < 0,
        }

    def fingerprint(self) -> str:
        """Return the SHA-256 of who has what, and of the ids."""
        digest = hashlib.sha256()
        size = [len(self), self.histories.n_items, len(self.ids[0])]
        digest.update(json.dumps([size, self.protocol], default=str).encode())
        for array in (self.histories.starts, self.histories.items, self.users):
            digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
        if self.archive is not None:
            for name, array in sorted(old_assets(self.archive).items()):
                digest.update(name.encode() + array.tobytes())
        return digest.hexdigest()


def schema_of(
    users: Sequence[str], items: Sequence[str]
) -> tuple[genkit.Schema, dict[str, NDArray[np.uint8]]]:
    """Return the schema of interactions, and the vocabularies that it tells of.

    Args:
        users: ids of all users, by number.
        items: ids of all items, by number.
    """
    history, of_items = with_vocabulary(
        "history", genkit.Field((None,), "int32", "interactions"), items
    )
    user, of_users = with_vocabulary("user", genkit.Field((), "int32", "user", missing=True), users)
    return genkit.Schema({"history": history, "user": user}), {**of_items, **of_users}


def source_of(
    split: Split,
    part: str,
    titles: Mapping[str, str],
    attributes: Mapping[str, str],
    protocol: Mapping[str, object],
) -> InteractionSource:
    """Return one part of split events as a source.

    In the random protocol ``ratio`` the model is given the training events alone when it is
    tested, as the published results are; validation events are no candidates then.

    Args:
        split: the events and their roles.
        part: ``train``, ``validation``, ``test`` or ``all``.
        titles: by item id; an item without one is called by its id.
        attributes: by item id, several parted by ``|``.
        protocol: what to write on figures beside the split's own.

    Raises:
        DataError: the part has no users.
    """
    summary = {**split.protocol, **protocol}
    if part in {"train", "all"}:
        roles = (splitting.TRAIN,) if part == "train" else tuple(range(splitting.LEFT_OUT))
        wanted = _histories(split, roles)
        items = split.events.items
        archive = Archive(
            split.events.users,
            items,
            [titles.get(name, name) for name in items],
            [attributes.get(name, "") for name in items],
            wanted,
            split.trained_until,
        )
        return _learned(split, wanted, archive, summary)
    return _held_out(split, part, summary)


def _histories(split: Split, roles: tuple[int, ...]) -> Histories:
    """Return each user's events of some roles, in the order of time."""
    events, order = split.events, split.order
    chosen = order[np.isin(split.role[order], roles)]
    shape = len(events.users), len(events.items)
    return Histories.of_pairs(events.user[chosen], events.item[chosen], *shape)


def _learned(
    split: Split, wanted: Histories, archive: Archive, summary: dict[str, object]
) -> InteractionSource:
    """Return the users that have something to learn from."""
    users = np.flatnonzero(wanted.lengths).astype(np.int32)
    _check_users(len(users), "train")
    return InteractionSource(
        wanted.take(users),
        users,
        (split.events.users, split.events.items),
        archive=archive,
        protocol=summary,
    )


def _held_out(split: Split, part: str, summary: dict[str, object]) -> InteractionSource:
    """Return the users with something to guess, and a history to guess by."""
    events = split.events
    role, known_roles = _HELD_OUT[part]
    given_roles = known_roles
    if split.protocol["protocol"] == "ratio":
        given_roles = tuple(r for r in known_roles if r != splitting.VALIDATION)
    wanted, given = _histories(split, (role,)), _histories(split, given_roles)
    users = np.flatnonzero((wanted.lengths > 0) & (given.lengths > 0)).astype(np.int32)
    _check_users(len(users), part)
    asking = (wanted.lengths > 0)[events.user]
    there = np.unique(split.role[asking & np.isin(split.role, given_roles)])
    without = int((wanted.lengths > 0).sum()) - len(users)
    trained = _histories(split, (splitting.TRAIN,)).lengths > 0
    temporal = split.trained_until is not None
    return InteractionSource(
        wanted.take(users),
        np.where(trained[users], users, -1).astype(np.int32),
        (events.users, events.items),
        given=given.take(users),
        excluded=_histories(split, known_roles).take(users),
        protocol={
            **summary,
            **_asked_and_given(part, there),
            "users_without_history": f"{without}, left out",
        },
        earliest=float(events.time[split.role == role].min()) if temporal else None,
    )


def _asked_and_given(part: str, given_roles: NDArray[np.int8]) -> dict[str, object]:
    """Return what a figure's card has of what is guessed and what the model is given."""
    names = {
        splitting.TRAIN: "training",
        splitting.VALIDATION: "validation",
        splitting.GIVEN_IN_VALIDATION: "given",
        splitting.GIVEN_IN_TEST: "given",
    }
    given = " and ".join(dict.fromkeys(names[role] for role in given_roles.tolist()))
    return {"guessed": f"{part} events", "history": f"{given} events"}


def _check_users(count: int, part: str) -> None:
    if not count:
        raise DataError(
            f"Expected users in the split {part!r}; there are none.",
            "Give it a larger share, or filter less.",
        )
