"""How a check comes out."""

from __future__ import annotations

import unittest
from dataclasses import asdict, dataclass
from typing import Any

PASSED, FAILED, SKIPPED, EXPECTED = "passed", "failed", "skipped", "expected failure"


class CheckFailed(AssertionError):  # noqa: N818 - an outcome, like pytest's Skipped
    """What was expected, what was received, and what to do about it.

    Args:
        expected: begins with "Expected".
        hint: what to do next.
    """

    def __init__(self, expected: str, hint: str = "") -> None:
        super().__init__(f"{expected} {hint}".strip())


class Skipped(unittest.SkipTest):
    """The check does not apply; pytest knows this kind of exception too."""


@dataclass(frozen=True)
class Outcome:
    """How a check came out.

    Args:
        name: of the check.
        subject: what was checked, ``kind name`` such as ``"model vae"``.
        backend: where; ``"all"`` for a check that goes over all backends.
        outcome: ``"passed"``, ``"failed"``, ``"skipped"`` or ``"expected failure"``.
        reason: why, unless it passed.
        seconds: how long it took.
    """

    name: str
    subject: str
    backend: str
    outcome: str
    reason: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Return the form that ``genkit check --json`` prints."""
        return {**asdict(self), "seconds": round(self.seconds, 3)}
