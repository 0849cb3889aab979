"""A run that is kept nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError
from genkit.plan.fitting import FitSettings, Position

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.engine.state import ModelState


class UnsavedRun:
    """A run that lives in memory only: what ``Model.fit`` trains in.

    Args:
        settings: how long and how to train.
        held_out: data for validation.
    """

    def __init__(self, settings: FitSettings, held_out: Source | None = None) -> None:
        self.settings, self.held_out, self.watch = settings, held_out, None

    def restore(self, state: ModelState) -> Position:  # noqa: ARG002
        """Begin at the beginning."""
        return Position()

    def last_position(self, state: ModelState) -> Position:  # noqa: ARG002
        """Refuse: there is no checkpoint."""
        raise RunError("A run in memory has no checkpoints.")

    def log(self, row: Mapping[str, Any]) -> None:
        """Keep nothing."""

    def save_samples(self, step: int, model: Any) -> Path | None:  # noqa: ARG002
        """Keep nothing."""
        return None

    def save_checkpoint(self, state: ModelState, position: Position) -> None:
        """Keep nothing."""
