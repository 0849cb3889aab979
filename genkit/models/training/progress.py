"""Progress of training, on stderr: one live line in a terminal or notebook, else plain ones."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from genkit.live import LiveLine, Pace, Status, print_line


class Progress(keras.callbacks.Callback):
    """Shows step, time left, losses and steps a second.

    Time is told of steps alone: what compiling, samples and checkpoints take isn't in it.
    """

    may_lag = True  # what it shows may be one step old

    def __init__(self) -> None:
        super().__init__()
        self._line: LiveLine | None = None
        self._told = False

    def get_state(self) -> dict[str, Any]:
        """Return None: what is on the screen is no part of a checkpoint."""
        return {}

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        self._done = self._first = self.params["first_step"]
        self._spent = self.params["first_seconds"]
        self._losses: Mapping[str, float] = {}
        self._pace = Pace()
        self._started = self._ended = time.monotonic()
        self._kept = 0.0  # seconds since the last step that went into samples and checkpoints
        self._line = LiveLine(self._status)

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._done > self._first:
            self._kept = time.monotonic() - self._ended

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        now = time.monotonic()
        self._pace.add(now - self._ended - self._kept)
        self._ended, self._kept = now, 0.0
        self._done += 1
        self._losses = logs or {}
        if self._line is not None:
            self._line.tick()

    def on_samples(self, step: int, picture: Path) -> None:  # noqa: ARG002
        """Say once where samples can be watched as they come."""
        if not self._told:
            self._told = True
            print_line(f"Samples:  {picture}, and later ones beside it")

    def close(self) -> None:
        """Release the terminal, however training ended."""
        if self._line is not None:
            self._line.close()

    def _status(self) -> Status:
        if self._done == self._first:
            return Status("step", waiting="compiling")
        total, seconds = self.params["total_steps"], self.params["seconds"]
        each = self._pace.seconds()
        spent = self._spent + time.monotonic() - self._started
        shares = [
            *([self._done / total] if total else []),
            *([spent / seconds] if seconds else []),
        ]
        left = [
            *([(total - self._done) * each] if total and each is not None else []),
            *([seconds - spent] if seconds else []),
        ]
        rate = [] if not each else [f"{1 / each:.3g} steps/s"]
        losses = [f"{name} {value:.4g}" for name, value in self._losses.items()]
        return Status(
            "step",
            self._done,
            total,
            max(shares, default=None),
            min(left, default=None),
            more=[*losses, *rate],
        )
