"""A run that another worker writes: this one begins where the run stands, and keeps nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.plan.fitting import Position

if TYPE_CHECKING:
    from genkit.engine.state import ModelState
    from genkit.runs.run import Run


class FollowedRun:
    """What a worker other than the first trains in.

    Held-out data and watched metrics are the first worker's.

    Args:
        run: the run directory, which need not exist yet.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self.settings, self.held_out, self.watch = run.settings, None, None

    def restore(self, state: ModelState) -> Position:
        """Load the last checkpoint, if there is one."""
        from genkit.runs import checkpoints

        if not checkpoints.steps(self._run.checkpoints):
            return Position()
        position = self.last_position(state)
        position.callbacks = {}  # they are the first worker's
        if self._run.until is not None:
            position.finished = False
        return position

    def last_position(self, state: ModelState) -> Position:
        """Load the last checkpoint."""
        return self._run.last_position(state)

    def log(self, row: Mapping[str, Any]) -> None:
        """Keep nothing."""

    def save_samples(self, step: int, model: Any) -> Path | None:  # noqa: ARG002
        """Keep nothing."""
        return None

    def save_checkpoint(self, state: ModelState, position: Position) -> None:
        """Keep nothing."""
