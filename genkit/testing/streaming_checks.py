"""Checks of models that hand an item back piece by piece."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.models.given import values_from
from genkit.testing.check import checks
from genkit.testing.generated import generated
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable

    from genkit.testing.training import TrainedSubject

_N, _EVERY = 3, (1, 7)
_COMPILED = ("first_state", "next_state", "ended", "result")


@checks("models")
def check_pieces_are_the_whole(subject: TrainedSubject) -> None:
    """The pieces of an item are together what generation gives, to the bit, whatever their size."""
    model = subject.straight.model
    _require_streaming(subject, model)
    values = values_from(subject.source, model, _N, every=True)
    (wholes,) = generated(subject, model, _N, seed=1, given=values).values()
    for item, whole in enumerate(wholes):
        given = {name: each[item] for name, each in values.items()}
        for every in _EVERY:
            pieces = list(model.stream(1, given=given, item=item, every=every))
            if not _is_whole(pieces, whole):
                raise CheckFailed(
                    f"Expected the pieces of item {item}, {every} steps each, to be together what "
                    "generate gives; they differ.",
                    "Define no decode beside first_state; let a step change nothing that is within "
                    "the length it has told; and present show the beginning the same as it grows.",
                )


@checks("models")
def check_pieces_compile_nothing_anew(subject: TrainedSubject) -> None:
    """A second item, in pieces of another size, compiles nothing anew; no step runs eagerly."""
    model = subject.build()
    _require_streaming(subject, model)
    calls: list[str] = []
    for name in _COMPILED:
        setattr(model, name, _counted(getattr(model, name), calls))
    given = {
        name: each[0] for name, each in values_from(subject.source, model, 1, every=True).items()
    }
    list(model.stream(1, given=given))
    usual = len(calls)
    list(model.stream(2, given=given, every=3))
    if more := sorted(set(calls[usual:])):
        raise CheckFailed(
            f"Expected a second item to compile nothing anew; it does ({', '.join(more)}).",
            "Let shapes of the noise and the state be the same for all items, and no step look at "
            "the value of a tensor.",
        )


def _require_streaming(subject: TrainedSubject, model: Any) -> None:
    if "generate" not in subject.spec.capabilities or not model.can_stream:
        raise Skipped("it makes its items at once")
    if len(model.output_fields) > 1:
        raise Skipped("it has several output fields")


def _counted(method: Callable[..., Any], calls: list[str]) -> Callable[..., Any]:
    @wraps(method)
    def counted(*arguments: Any, **named: Any) -> Any:
        calls.append(method.__name__)
        return method(*arguments, **named)

    return counted


def _is_whole(pieces: list[Any], whole: Any) -> bool:
    if isinstance(whole, str):
        return "".join(pieces) == whole
    return bool(pieces) and np.array_equal(np.concatenate(pieces), whole)
