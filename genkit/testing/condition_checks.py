"""Checks of what generation may be given beside noise."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.models.given import values_from
from genkit.models.outputs import same_items
from genkit.plugins.condition import LABEL
from genkit.testing.check import checks
from genkit.testing.generated import generated, some_of
from genkit.testing.outcomes import CheckFailed, Skipped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from genkit.testing.training import TrainedSubject

_N = 5
_FEW = 16  # items of a batch


@checks("models")
def check_conditions_are_taken_or_refused(subject: TrainedSubject) -> None:
    """Conditions that a model doesn't take, or needs and isn't given, are a UsageError."""
    _require_generation(subject)
    model = subject.straight.model
    needed = values_from(subject.source, model, 1)
    _check_refused(model, {**needed, "no such condition": 1}, "a condition it doesn't take")
    for name in needed:
        others = {key: value for key, value in needed.items() if key != name}
        _check_refused(model, others, f"to generate without {name!r}, which it needs,")


@checks("models")
def check_conditions_are_in_the_record(subject: TrainedSubject) -> None:
    """The record has what the model's class says that it takes, and what it needs."""
    model, record = subject.straight.model, {each.name: each for each in subject.spec.conditions}
    usual = type(model)
    said = {LABEL.name: LABEL} if usual.conditional is True else {}
    said |= {each.name: each for each in usual.conditions}
    needed = {each.name for each in model.conditions if each.required}
    if silent := sorted((said.keys() | needed) - record.keys()):
        raise CheckFailed(
            f"Expected conditions of the record: {', '.join(silent)}; genkit info doesn't tell.",
            "Give them to ModelSpec: conditions=(genkit.Condition(...),).",
        )
    if wrong := sorted(needed ^ {name for name, each in record.items() if each.required}):
        raise CheckFailed(
            f"Expected the model and its record to need the same; they differ in {wrong[0]!r}."
        )


@checks("models")
def check_item_follows_from_its_own_conditions(subject: TrainedSubject) -> None:
    """An item is the same, to the bit, whatever its neighbours are given."""
    _require_conditions(subject)
    model = subject.straight.model
    given = values_from(subject.source, model, _N, every=True)
    whole = generated(subject, model, _N, given=given)
    for place in range(_N):
        for_all = {name: [values[place]] * _N for name, values in given.items()}
        one = slice(place, place + 1)
        alone = generated(subject, model, _N, given=for_all)
        if not same_items(some_of(alone, one), some_of(whole, one)):
            raise CheckFailed(
                f"Expected item {place} to follow from its own conditions; it differs with those "
                "of others.",
                "Let decode treat each item alone.",
            )


@checks("models")
def check_conditions_are_inputs_of_what_is_compiled(subject: TrainedSubject) -> None:
    """Other values of conditions compile nothing anew."""
    _require_conditions(subject)
    model: Any = subject.build()
    model.generation_batch = min(model.generation_batch, _FEW)  # what is compiled is the same
    calls, decode = [], model.decode

    @wraps(decode)
    def counted(*arguments: Any, **inputs: Any) -> Any:
        calls.append(inputs.keys())
        return decode(*arguments, **inputs)

    model.decode = counted
    values = values_from(subject.source, model, _N, every=True)
    # A call compiles, or is made each time where nothing is compiled.
    usual = _calls(model, values, calls, warm=True)
    for name, each in values.items():
        if _calls(model, {**values, name: [*each[1:], each[0]]}, calls) > usual:
            raise CheckFailed(
                f"Expected other values of {name!r} to compile nothing anew; they do.",
                "Let decode compute with them as tensors, of one dtype and shape.",
            )


def _calls(model: Any, given: Mapping[str, Any], calls: list[Any], *, warm: bool = False) -> int:
    """Return how often ``decode`` is called to generate."""
    for _ in range(3 * warm):
        model.generate(_N, given=given)
    before = len(calls)
    model.generate(_N, given=given)
    return len(calls) - before


def _require_generation(subject: TrainedSubject) -> None:
    if "generate" not in subject.spec.capabilities:
        raise Skipped("it does not declare 'generate'")


def _require_conditions(subject: TrainedSubject) -> None:
    _require_generation(subject)
    if not subject.straight.model.conditions:
        raise Skipped("it takes no conditions")


def _check_refused(model: Any, given: Mapping[str, Any], what: str) -> None:
    try:
        model.generate(1, given=given)
    except UsageError:
        return
    raise CheckFailed(f"Expected {what} to be refused with a UsageError; it was taken.")
