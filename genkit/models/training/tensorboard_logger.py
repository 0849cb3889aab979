"""The callback ``tensorboard``: losses and samples as TensorBoard shows them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from genkit.errors import UsageError
from genkit.plugins.entry_points import DISTRIBUTION


class TensorBoardLogger(keras.callbacks.Callback):
    """Logs for TensorBoard, on every backend.

    Losses of single steps under their own names, means of epochs under ``epoch_...``, and the
    samples of a run under ``samples``, all by training step. Where a run is resumed, its
    curves go on without gap or double.

    Args:
        log_dir: the folder; it belongs to one run.
        every: steps between two points of a curve; the first step is one of them.

    Raises:
        UsageError: TensorBoard is not installed, or ``every`` is less than 1.
    """

    may_lag = True  # it only writes down what it is told

    def __init__(self, log_dir: str = "tensorboard", every: int = 10) -> None:
        super().__init__()
        try:
            from genkit.models.training.event_file import EventFile
        except ImportError as error:
            raise UsageError(
                f"Logging to TensorBoard needs the package tensorboard: {error}.",
                f"Install it with: pip install '{DISTRIBUTION}[tensorboard]'",
            ) from error
        if every < 1:
            raise UsageError(f"Expected tensorboard.every of at least 1; received {every}.")
        self._folder, self._every, self._step = Path(log_dir), every, 0
        self._open = EventFile
        self._events: EventFile | None = None

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        self._step = self.params["first_step"]
        self._events = self._open(self._folder, self._step)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._step += 1
        if self._step == 1 or self._step % self._every == 0:
            self._add(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._add({f"epoch_{name}": value for name, value in logs.items()})

    def on_samples(self, step: int, picture: Path) -> None:
        """Log samples: a grid, a clip, a sound, or text; a page TensorBoard couldn't show."""
        assert self._events is not None, "training has begun"
        self._events.add_file(step, "samples", picture)

    def get_state(self) -> dict[str, Any]:
        """Have what was logged on the disk; the files themselves tell where they stand."""
        if self._events is not None:
            self._events.keep()
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take nothing: ``on_train_begin`` has cut the files back."""

    def close(self) -> None:
        """Write what is left."""
        if self._events is not None:
            self._events.close()

    def _add(self, values: Mapping[str, float]) -> None:
        assert self._events is not None, "training has begun"
        self._events.add_scalars(self._step, values)
