"""A check: a name, a function, and what it looks at."""

from __future__ import annotations

import time
import unittest
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from genkit.testing.outcomes import EXPECTED, FAILED, PASSED, SKIPPED, CheckFailed, Outcome

if TYPE_CHECKING:
    from genkit.testing.subjects import Subject

ALL = "all"
"""In the place of a backend: a check that goes over all that are installed."""

_MODULES = (
    "record_checks",
    "building_checks",
    "training_checks",
    "capability_checks",
    "condition_checks",
    "streaming_checks",
    "persistence_checks",
    "dataset_checks",
    "metric_checks",
    "extractor_checks",
    "callback_checks",
    "transform_checks",
    "renderer_checks",
)
_TABLE: dict[str, Definition] = {}
_Function = TypeVar("_Function", bound=Callable[..., None])


@dataclass(frozen=True)
class Definition:
    """A check of the kit, whatever it is applied to.

    Args:
        name: of the check.
        kinds: of what it checks: ``"models"``, ``"datasets"``, ..., ``"plugins"``.
        function: takes the subject; raises ``CheckFailed`` or ``Skipped``.
        spans_backends: whether it goes over all installed backends by itself.
    """

    name: str
    kinds: tuple[str, ...]
    function: Callable[[Subject], None]
    spans_backends: bool = False

    @property
    def meaning(self) -> str:
        """What it checks, in a sentence."""
        return " ".join((self.function.__doc__ or "").partition("\n\n")[0].split())


def checks(*kinds: str, spans_backends: bool = False) -> Callable[[_Function], _Function]:
    """Make a function that is called ``check_NAME`` the check ``NAME`` of these kinds."""

    def enter(function: _Function) -> _Function:
        name = function.__name__.removeprefix("check_")
        _TABLE[name] = Definition(name, kinds, function, spans_backends)
        return function

    return enter


def definitions(kind: str | None = None) -> Iterator[Definition]:
    """Return the checks of a kind, or all, in the order in which they are made."""
    for module in _MODULES:
        import_module(f"genkit.testing.{module}")
    for definition in _TABLE.values():
        if kind is None or kind in definition.kinds:
            yield definition


@dataclass(frozen=True)
class Check:
    """One check of one subject; call it to make it.

    Args:
        definition: the check.
        kind: of the subject: ``"models"``, ..., ``"plugins"``.
        subject: its qualified name, ``distribution/name``; of a plugin the entry point's.
        expected_failure: why it is known to fail; empty if it isn't.
    """

    definition: Definition
    kind: str
    subject: str
    expected_failure: str = ""

    @property
    def name(self) -> str:
        return self.definition.name

    @property
    def shown_subject(self) -> str:
        """The subject for people: ``"model vae"``."""
        return f"{self.kind.removesuffix('s')} {self.subject.rpartition('/')[2]}"

    def __str__(self) -> str:
        return f"{self.shown_subject.replace(' ', '-')}-{self.name}"

    def __call__(self) -> None:
        """Make the check on this process's backend.

        Raises:
            CheckFailed: it fails.
            unittest.SkipTest: it does not apply.
        """
        from genkit.plan import activation
        from genkit.testing.choosing import subject_of

        activation.activate()
        self.definition.function(subject_of(self.kind, self.subject))

    def run(self) -> Outcome:
        """Make the check on this process's backend, whatever it raises."""
        from genkit.plan import activation

        started = time.perf_counter()
        where = ALL if self.definition.spans_backends else activation.choose_backend()
        outcome, reason = self._outcome()
        seconds = time.perf_counter() - started
        return Outcome(self.name, self.shown_subject, where, outcome, reason, seconds)

    def _outcome(self) -> tuple[str, str]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self()
        except unittest.SkipTest as skipped:
            return SKIPPED, str(skipped)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - plugins raise anything
            reason = " ".join(str(error).split())
            if not isinstance(error, CheckFailed):
                reason = f"{type(error).__name__}: {reason}"
            if self.expected_failure:
                return EXPECTED, self.expected_failure
            return FAILED, reason
        if self.expected_failure:
            return FAILED, (
                f"Expected it to fail ({self.expected_failure}); it passes. "
                f"Remove {self.name!r} from the record's expected_failures."
            )
        return PASSED, ""
