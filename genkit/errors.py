"""Every error GenKit raises on purpose.

GenkitError                     exit code 1: what was asked could not be done
├── UsageError                  exit code 2: wrong usage or configuration
│   ├── UnknownNameError        no model, data set, ... of that name
│   ├── AmbiguousNameError      two plugins offer that name
│   └── BackendError            the backend is not installed, or another one is active
├── PluginError                 a plugin handed over something that is no valid spec
├── DataError                   the data can't be read or doesn't fit
│   └── MissingSplitError       the data has no such split
├── RunError                    a run directory is missing, damaged, or in use
└── TrainingError               training could not go on
    ├── DivergedError           a loss became NaN or infinite, or exploded
    └── CallbackError           a callback raised

A message says what was expected and what was received; ``hint`` says what to do next.
"""

from __future__ import annotations


class GenkitError(Exception):
    """Base of all errors meant for people.

    Args:
        message: what was expected and what was received, in one line.
        hint: what to do next, in one line.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()

    def to_dict(self) -> dict[str, str]:
        """Return the form that ``--json`` prints."""
        return {"error": type(self).__name__, "message": self.message, "hint": self.hint}


class UsageError(GenkitError):
    """The request is wrong: a name, a setting, a combination of flags."""

    exit_code = 2


class UnknownNameError(UsageError):
    """No spec of that name is registered."""


class AmbiguousNameError(UsageError):
    """Two distributions offer the same name; the bare name can't choose."""


class BackendError(UsageError):
    """The backend is unknown, not installed, or another one is already active."""


class PluginError(GenkitError):
    """A plugin handed over something that is no valid spec."""


class DataError(GenkitError):
    """The data can't be read, is damaged, or doesn't fit the model."""


class MissingSplitError(DataError):
    """The data has no such split: not even a damaged one."""


class RunError(GenkitError):
    """A run directory is missing, damaged, already there, or in use."""


class TrainingError(GenkitError):
    """Training could not go on."""


class DivergedError(TrainingError):
    """A loss became NaN or infinite, or exploded."""


class CallbackError(TrainingError):
    """A callback raised an error of its own."""
