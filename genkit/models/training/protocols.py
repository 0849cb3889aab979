"""What a trainer needs of others: of the model that it trains, and of the run that it trains in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from genkit.engine.optimized import OptimizedModel

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np

    from genkit.data import Source
    from genkit.engine.state import ModelState
    from genkit.plan.fitting import FitSettings, Position


class Trainable(OptimizedModel, Protocol):
    """A model that learns in steps, such as ``genkit.Model``; what each means stands there."""

    batches_per_step: int
    stop_training: bool

    @property
    def has_training_step(self) -> bool:
        """Whether it learns in steps."""

    def examples(self, source: Source) -> Source:
        """Return what a batch of training is made of."""

    def training_noise(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw what is random in a training batch."""

    def schedule(self, step: int, total: float) -> dict[str, Any]:
        """Return what depends on the step."""

    def learning_rate_factors(self, step: int, total: float) -> dict[str, float]:
        """Return what learning rates are multiplied by, by optimizer."""

    def training_step(self, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        """Update the model once."""

    def validation_step(self, batch: Any) -> dict[str, Any]:
        """Return the losses of a batch that is not learned from."""

    def averaged_weights(self) -> AbstractContextManager[None]:
        """Use averaged weights, where there are any, inside the block."""


class WatchedFigure(Protocol):
    """A figure of a metric, such as that of an evaluation."""

    @property
    def name(self) -> str:
        """What was measured."""

    @property
    def value(self) -> float:
        """The number."""

    @property
    def direction(self) -> str:
        """Which way is better: ``"min"`` or ``"max"``."""


class TrainingMetrics(Protocol):
    """Metrics that are measured while a model is trained."""

    def measure(self) -> Sequence[WatchedFigure]:
        """Measure the model as it is; figures that are no finite number are left out."""


class RunKeeper(Protocol):
    """Where a run is kept: a directory, such as ``genkit.runs.run.Run``, or nowhere."""

    @property
    def settings(self) -> FitSettings:
        """How long and how to train."""

    @property
    def held_out(self) -> Source | None:
        """Data for validation; None where there is none."""

    @property
    def watch(self) -> TrainingMetrics | None:
        """Metrics of the model in training; None where none are watched."""

    def restore(self, state: ModelState) -> Position:
        """Load the last checkpoint, if there is one, and forget what was logged after it."""

    def last_position(self, state: ModelState) -> Position:
        """Load the last checkpoint; nothing else changes.

        Raises:
            RunError: there is none, or it is damaged.
        """

    def log(self, row: Mapping[str, Any]) -> None:
        """Keep the losses of a step."""

    def save_samples(self, step: int, model: Any) -> Path | None:
        """Show samples of the model; None where there is nothing to show."""

    def save_checkpoint(self, state: ModelState, position: Position) -> None:
        """Keep the model's state and where the run stands."""
