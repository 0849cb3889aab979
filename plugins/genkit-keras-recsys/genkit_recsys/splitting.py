"""Splits: which events a model learns from, which it is given, and which it must guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_recsys.events import Events

TRAIN, VALIDATION, TEST, GIVEN_IN_VALIDATION, GIVEN_IN_TEST, LEFT_OUT = range(6)
TIES = "events of a user at one time stand in a random order, drawn by the split's seed"


@dataclass(frozen=True)
class Split:
    """The role of each event.

    Args:
        events: cleaned.
        role: int8 of shape ``(events,)``: one of the constants of this module.
        order: the events in the order of time, int64; ties as ``TIES`` says.
        protocol: what to write on every figure: JSON values.
        trained_until: the latest time of what a temporal split trains on; None for others.
    """

    events: Events
    role: NDArray[np.int8]
    order: NDArray[np.int64]
    protocol: dict[str, object]
    trained_until: float | None = None


def split_events(
    events: Events, protocol: str, *, validation: float, test: float, seed: int
) -> Split:
    """Split events, and make sure that nothing leaks.

    - ``ratio``: of each user's events, random shares are for validation and test; a user with
      three events or more has at least one in each.
    - ``leave-last-out``: each user's last event is for test, the one before for validation; users
      with fewer than three events only train.
    - ``temporal``: what happened last is for test, what came before it for validation, for all
      users at the same times; events of one time stay together.
    - ``users``: shares of the users are for validation and test. Of each of them 80 % of the
      events, drawn at random, are given, the others are to be guessed; items that no training user
      has are left out (Liang et al. 2018, "Variational Autoencoders for Collaborative Filtering",
      section 4.1).
    - ``given``: the files say it.

    Args:
        events: cleaned.
        protocol: one of these.
        validation: share of events, or of users, for validation.
        test: share for test.
        seed: of all that is random, ties too.

    Raises:
        DataError: the data has no times, or a split's part is empty, or something leaks.
    """
    if protocol in {"leave-last-out", "temporal"} and not events.timed:
        raise DataError(
            f"Expected times for the protocol {protocol}; the data has none.",
            "Name their column: --data time_column=..., or split by ratio or users.",
        )
    rng = np.random.default_rng(seed)
    chance = rng.random(len(events))
    order = np.lexsort((chance, events.time))
    assign = {
        "ratio": _by_ratio,
        "leave-last-out": _last_out,
        "temporal": _temporal,
        "users": _by_users,
        "given": _given,
    }[protocol]
    role = assign(events, order, rng, validation, test)
    summary: dict[str, object] = {"protocol": protocol, "split_seed": seed, "ties_in_time": TIES}
    if protocol not in {"leave-last-out", "given"}:
        summary |= {"validation_share": validation, "test_share": test}
    training = events.time[role == TRAIN]
    until = float(training.max()) if protocol == "temporal" and len(training) else None
    split = Split(events, role, order, summary, until)
    check_leaks(split, protocol)
    return split


def check_leaks(split: Split, protocol: str) -> None:
    """Refuse a split in which training sees what is to be guessed.

    Raises:
        DataError: an event to be guessed is in training or given; in a temporal split one in
            training is later than one to be guessed; in one by users a test user trains.
    """
    events, role = split.events, split.role
    pair = events.user.astype(np.int64) * len(events.items) + events.item
    for part in (VALIDATION, TEST):
        guessed = np.unique(pair[role == part])
        known = (
            TRAIN,
            GIVEN_IN_VALIDATION,
            GIVEN_IN_TEST,
            *((VALIDATION,) if part == TEST else ()),
        )
        shared = np.intersect1d(guessed, pair[np.isin(role, known)])
        if len(shared):
            user, item = divmod(int(shared[0]), len(events.items))
            raise DataError(
                f"Expected test events that training doesn't see; {len(shared)} are in both, "
                f"first user {events.users[user]!r} with item {events.items[item]!r}.",
                "Take them out of one of the files.",
            )
        learned, asked = events.time[role == TRAIN], events.time[role == part]
        if protocol == "temporal" and len(asked) and learned.max() >= asked.min():
            raise DataError(
                f"Expected training events before all that are to be guessed; one of "
                f"{learned.max():.0f} is not before {asked.min():.0f}.",
                "Split the files at one time.",
            )
        shared_users = np.intersect1d(events.user[role == part], events.user[role == TRAIN])
        if protocol == "users" and len(shared_users):
            raise DataError(
                f"Expected test users that don't train; {len(shared_users)} do, first "
                f"{events.users[shared_users[0]]!r}."
            )


def _places(
    events: Events, order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each event's place among its user's in an order, and how many that user has."""
    by_user = order[np.argsort(events.user[order], kind="stable")]
    counts = np.bincount(events.user, minlength=len(events.users))
    place = np.empty(len(events), np.int64)
    place[by_user] = np.arange(len(events)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place, counts[events.user]


def _shares(
    place: NDArray[np.int64], count: NDArray[np.int64], validation: float, test: float
) -> NDArray[np.int8]:
    """Return roles by place: test first, then validation; one of each where there are three."""
    few = (count >= 3).astype(np.int64)  # noqa: PLR2004
    n_test = np.maximum((count * test).astype(np.int64), few if test else 0)
    n_validation = np.maximum((count * validation).astype(np.int64), few if validation else 0)
    role = np.full(len(place), TRAIN, np.int8)
    role[place < n_test + n_validation] = VALIDATION
    role[place < n_test] = TEST
    return role


def _by_ratio(
    events: Events,
    order: NDArray[np.int64],  # noqa: ARG001 - chance orders here
    rng: np.random.Generator,
    validation: float,
    test: float,
) -> NDArray[np.int8]:
    place, count = _places(events, rng.permutation(len(events)))
    return _shares(place, count, validation, test)


def _last_out(
    events: Events,
    order: NDArray[np.int64],
    rng: np.random.Generator,  # noqa: ARG001 - ties are in the order
    validation: float,  # noqa: ARG001 - one event of each user
    test: float,  # noqa: ARG001
) -> NDArray[np.int8]:
    place, count = _places(events, order)
    role = np.full(len(events), TRAIN, np.int8)
    enough = count >= 3  # noqa: PLR2004
    role[enough & (place == count - 2)] = VALIDATION
    role[enough & (place == count - 1)] = TEST
    return role


def _temporal(
    events: Events,
    order: NDArray[np.int64],
    rng: np.random.Generator,  # noqa: ARG001 - nothing is drawn
    validation: float,
    test: float,
) -> NDArray[np.int8]:
    times = events.time[order]
    at_test = times[min(int(len(times) * (1 - test)), len(times) - 1)]
    at_validation = times[min(int(len(times) * (1 - test - validation)), len(times) - 1)]
    role = np.full(len(events), TRAIN, np.int8)
    role[events.time >= at_validation] = VALIDATION
    role[events.time >= at_test] = TEST
    if not (role == TRAIN).any():
        raise DataError("Expected events before those to be guessed; all are of one time.")
    return role


def _by_users(
    events: Events,
    order: NDArray[np.int64],  # noqa: ARG001 - chance orders here
    rng: np.random.Generator,
    validation: float,
    test: float,
) -> NDArray[np.int8]:
    held_out = 0.2
    n_users = len(events.users)
    drawn = rng.permutation(n_users)
    n_test, n_validation = max(1, int(n_users * test)), int(n_users * validation)
    if n_test + n_validation >= n_users:
        raise DataError(f"Expected users to train on; all {n_users} are for validation and test.")
    group = np.full(n_users, TRAIN, np.int8)
    group[drawn[:n_test]] = TEST
    group[drawn[n_test : n_test + n_validation]] = VALIDATION
    role = group[events.user]
    trained = np.bincount(events.item[role == TRAIN], minlength=len(events.items)) > 0
    role[~trained[events.item]] = LEFT_OUT
    place, count = _places(events, rng.permutation(len(events)))
    given = place >= np.maximum((count * held_out).astype(np.int64), 1)
    role[given & (role == TEST)] = GIVEN_IN_TEST
    role[given & (role == VALIDATION)] = GIVEN_IN_VALIDATION
    return role


def _given(
    events: Events,
    order: NDArray[np.int64],  # noqa: ARG001 - the files say it
    rng: np.random.Generator,  # noqa: ARG001
    validation: float,  # noqa: ARG001
    test: float,  # noqa: ARG001
) -> NDArray[np.int8]:
    return events.part.copy()
