"""When the first training step is done."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras


class Stopwatch(keras.callbacks.Callback):
    """Tells the seconds from a moment to the end of a run's very first step.

    Args:
        began: the moment, as ``time.time()`` gave it, in this process or its parent.
        tell: is called once with the seconds; not in a later sitting.
    """

    may_lag = True  # it must not slow the steps it measures

    def __init__(self, began: float, tell: Callable[[float], None]) -> None:
        super().__init__()
        self._began = began
        self._tell = tell
        self._awaits = False

    def get_state(self) -> dict[str, Any]:
        """Return None: a time is no part of a checkpoint."""
        return {}

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        self._awaits = self.params["first_step"] == 0
        self._begun = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._begun += 1
        if self._begun == 2:  # noqa: PLR2004 - the first step was handed to the device
            self._stop()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._stop()

    def _stop(self) -> None:
        if self._awaits:
            self._awaits = False
            # A weight that the step has changed is there only once the device is done.
            keras.ops.convert_to_numpy(self.model.trainable_variables[0].value)
            self._tell(time.time() - self._began)
