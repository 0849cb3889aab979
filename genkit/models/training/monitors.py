"""Callbacks that wait for a value of the log: those of recipes, and whether the value is there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import keras

from genkit.errors import UsageError


class _Watching(keras.callbacks.Callback):
    """Passes over epochs in which its value was not looked at; one that never is, is refused."""

    monitor: str

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if self.monitor in (logs or {}):
            super().on_epoch_end(epoch, logs)


class EarlyStopping(_Watching, keras.callbacks.EarlyStopping):
    """Keras' early stopping, for values that a run has.

    Args:
        monitor: the value it watches; Keras' own default, ``val_loss``, is called
            ``validation_loss`` here, and is there with ``validate_every``.
        mode: ``"min"`` or ``"max"``: which way is better.
        **settings: as in Keras: ``patience``, ``min_delta``, ``restore_best_weights``, ...
    """

    def __init__(self, monitor: str = "loss", mode: str = "min", **settings: Any) -> None:
        super().__init__(monitor, mode=mode, **settings)


class ReduceLROnPlateau(_Watching, keras.callbacks.ReduceLROnPlateau):
    """Keras' lowering of the learning rate, for values that a run has.

    Args:
        monitor: the value it watches; Keras' own default, ``val_loss``, is called
            ``validation_loss`` here, and is there with ``validate_every``.
        mode: ``"min"`` or ``"max"``: which way is better.
        **settings: as in Keras: ``factor``, ``patience``, ``cooldown``, ``min_lr``, ...
    """

    def __init__(self, monitor: str = "loss", mode: str = "min", **settings: Any) -> None:
        super().__init__(monitor, mode=mode, **settings)


def check(callbacks: Iterable[Any], logged: Collection[str], *, epoch_ended: bool = False) -> None:
    """Refuse a callback that waits for a value that is never logged, or can't compare it.

    A callback of the user's own may log more at the end of an epoch: those after it are not
    refused before one has ended, and a user's own form of Keras' callbacks never is.

    Args:
        callbacks: in the order in which they are called.
        logged: the names of what is logged.
        epoch_ended: whether these are all that there are, users' own too.

    Raises:
        UsageError: with the names there are.
    """
    may_grow = False
    for callback in callbacks:
        name = type(callback).__name__
        users_own = type(callback).__module__.partition(".")[0] not in ("keras", "genkit")
        may_grow = may_grow or (users_own and not epoch_ended)
        if users_own or not _waits(callback):
            continue
        if callback.monitor not in logged:
            if may_grow:
                continue
            raise UsageError(
                f"The callback {name} watches {callback.monitor!r}, which this run doesn't log; "
                f"it logs {', '.join(logged)}.",
                "Set its monitor to one of them.",
            )
        if callback.mode == "auto" and callback.monitor != "loss":
            raise UsageError(
                f"The callback {name} can't tell which way {callback.monitor!r} is better.",
                'Set its mode to "min" or "max".',
            )


def _waits(callback: Any) -> bool:
    """Whether a callback compares a value of the log with the best so far."""
    return hasattr(callback, "monitor_op") and getattr(callback, "save_best_only", True)
