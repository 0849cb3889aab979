"""Progress of training, on stderr: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import Any

import keras
from rich.console import Console
from rich.progress import (
    BarColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import (
    Progress as Bar,
)

_PLAIN_SECONDS = 10.0


class Progress(keras.callbacks.Callback):
    """Shows step, losses, steps a second and the time left."""

    may_lag = True  # what it shows may be one step old

    def __init__(self) -> None:
        super().__init__()
        self._console = Console(stderr=True)
        self._bar: Bar | None = None
        self._done = 0
        self._shown = time.monotonic()

    def get_state(self) -> dict[str, Any]:
        """Return None: what is on the screen is no part of a checkpoint."""
        return {}

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        self._done = self.params["first_step"]
        self._started, self._first = time.monotonic(), self._done
        if self._console.is_terminal:
            self._bar = Bar(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[losses]}"),
                console=self._console,
                transient=True,
            )
            self._task = self._bar.add_task(
                "training", total=self._extent(), completed=self._reached(), losses=""
            )
            self._bar.start()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._done += 1
        text = self._describe(logs or {})
        if self._bar is not None:
            self._bar.update(
                self._task,
                completed=self._reached(),
                description=f"step {self._done}",
                losses=text,
            )
        elif time.monotonic() - self._shown > _PLAIN_SECONDS:
            self._shown = time.monotonic()
            total = self.params["total_steps"]
            with suppress(OSError):  # nobody reads it any more
                line = f"step {self._done}{f' of {total}' if total else ''}  {text}"
                print(line + self._time_left(), file=sys.stderr, flush=True)  # noqa: T201

    def close(self) -> None:
        """Release the terminal, however training ended."""
        if self._bar is not None:
            self._bar.stop()

    def _describe(self, logs: dict[str, float]) -> str:
        losses = "  ".join(f"{name} {value:.4g}" for name, value in logs.items())
        return f"{losses}  {self._rate():.3g} steps/s"

    def _rate(self) -> float:
        return (self._done - self._first) / max(time.monotonic() - self._started, 1e-9)

    def _extent(self) -> int | None:
        steps, seconds = self.params["total_steps"], self.params["seconds"]
        return int(steps or seconds) if steps or seconds else None

    def _reached(self) -> int:
        if self.params["total_steps"]:
            return self._done
        return int(time.monotonic() - self._started)

    def _time_left(self) -> str:
        if not self.params["total_steps"]:
            return ""
        seconds = (self.params["total_steps"] - self._done) / max(self._rate(), 1e-9)
        return f"  {seconds / 60:.1f} min left"
