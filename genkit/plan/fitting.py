"""How long and how to train: what the loop needs to know, apart from model and data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

LearningRateSchedule = Literal["constant", "linear", "cosine"]

VALIDATION = "validation_"
"""What the name of a loss begins with that is of held-out data."""

FIRST_SAMPLES = (1, 10, 100)
"""Steps whose samples are shown whatever the settings: early on a model changes fast."""


@dataclass(frozen=True)
class FitSettings:
    """Settings of the training loop.

    Of ``epochs``, ``steps`` and ``seconds`` whichever is reached first ends the run.

    Args:
        batch_size: items in a batch.
        epochs: passes over the data.
        steps: training steps, counted from the run's beginning.
        seconds: training time, summed over all sittings of the run.
        seed: of weights, order of data, noise and layer randomness; 0 to 2**31 - 1.
        checkpoint_every: steps between checkpoints.
        sample_every: steps between sample grids, after those of steps 1, 10 and 100.
        keep: how many of the newest checkpoints stay.
        keep_best: a loss or a watched figure; the checkpoint where it was best stays too.
        validate_every: steps between looks at held-out data, after that of step 1.
        watch_every: steps between figures of the metrics that are watched, after those of step 1.
        learning_rate_schedule: how learning rates fall over the run: to zero in a straight line or
            along half a cosine; or not at all.
        warmup_steps: steps over which learning rates rise to their values.
        planned: those of the run's plan, for a sitting that has another length.
    """

    batch_size: int = 64
    epochs: int | None = None
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    checkpoint_every: int = 500
    sample_every: int = 500
    keep: int = 2
    keep_best: str | None = None
    validate_every: int | None = None
    watch_every: int = 500
    learning_rate_schedule: LearningRateSchedule = "constant"
    warmup_steps: int = 0
    planned: FitSettings | None = None

    def total_steps(self, steps_per_epoch: int) -> int | None:
        """Return the number of steps after which the run is done; None if only time ends it."""
        limits = [
            limit
            for limit in (self.steps, self.epochs and self.epochs * steps_per_epoch)
            if limit is not None
        ]
        return min(limits, default=None)

    def samples_are_due(self, step: int) -> bool:
        """Whether a sample grid is drawn after this many steps."""
        return step in FIRST_SAMPLES or step % self.sample_every == 0

    def validation_is_due(self, step: int, total: int | None) -> bool:
        """Whether held-out data is looked at after this many steps, of ``total`` in all."""
        if self.validate_every is None:
            return False
        return step in (1, total) or step % self.validate_every == 0

    def watch_is_due(self, step: int, total: int | None) -> bool:
        """Whether watched metrics are measured after this many steps, of ``total`` in all."""
        return step in (1, total) or step % self.watch_every == 0

    def learning_rate_factor(self, step: int, seconds: float, steps_per_epoch: int) -> float | None:
        """Return what learning rates are multiplied by; None where they stay as they are.

        Args:
            step: how many steps were done.
            seconds: of training so far.
            steps_per_epoch: of the loader.
        """
        if self.learning_rate_schedule == "constant" and not self.warmup_steps:
            return None
        risen = min(1.0, (step + 1) / self.warmup_steps) if self.warmup_steps else 1.0
        done = self._share_done(step, seconds, steps_per_epoch)
        if self.learning_rate_schedule == "linear":
            return risen * (1 - done)
        if self.learning_rate_schedule == "cosine":
            return risen * (1 + math.cos(math.pi * done)) / 2
        return risen

    def _share_done(self, step: int, seconds: float, steps_per_epoch: int) -> float:
        """Return how much of the run was done, from 0 to 1.

        A sitting that ends before its plan does is a part of it, and one that ends later makes the
        whole run longer.
        """
        shares = [step / self._longest(steps_per_epoch)]
        if self.seconds:
            shares.append(seconds / self.seconds)
        return min(1.0, max(shares))

    def expected_steps(self, step: int, seconds: float, steps_per_epoch: int) -> float:
        """Return how many steps the run has in all, by what is known so far.

        Where time may end it, that is at the pace so far; infinite while nothing tells.

        Args:
            step: how many steps were done.
            seconds: of training so far.
            steps_per_epoch: of the loader.
        """
        if self.seconds and (share := self._share_done(step, seconds, steps_per_epoch)):
            return step / share
        return self._longest(steps_per_epoch)

    def _longest(self, steps_per_epoch: int) -> float:
        """Return the number of steps of the plan, or of a sitting that goes on for longer."""
        lengths = [
            total
            for settings in (self, self.planned)
            if settings and (total := settings.total_steps(steps_per_epoch))
        ]
        return max(lengths, default=math.inf)


@dataclass
class Position:
    """Where a run stands; what a checkpoint records beside the model's arrays.

    Args:
        step: training steps done.
        seconds: training time so far.
        epoch_sums: each loss summed over the steps of the unfinished epoch.
        window_sums: each loss summed over the steps since the last checkpoint that was due.
        first: the first step's losses, by which an explosion is known.
        metrics: the last step's losses.
        validation: the newest losses on held-out data.
        validated: the step that they are of.
        watched: the newest figures of the metrics that are watched, by name.
        watched_at: the step that they are of.
        higher_is_better: names of those figures of which that is so.
        finished: whether a callback ended the run for good.
        callbacks: the state of each callback; see ``genkit.models.training.callbacks``.
    """

    step: int = 0
    seconds: float = 0.0
    epoch_sums: dict[str, float] = field(default_factory=dict)
    window_sums: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] | None = None
    validation: dict[str, float] = field(default_factory=dict)
    validated: int = 0
    watched: dict[str, float] = field(default_factory=dict)
    watched_at: int = 0
    higher_is_better: list[str] = field(default_factory=list)
    finished: bool = False
    callbacks: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a training run, or one sitting of it, ended.

    Args:
        steps: steps done since the run's beginning.
        seconds: time since the run's beginning.
        steps_per_second: of this sitting.
        metrics: the last step's losses.
        signal: number of the signal that ended it, or 0.
    """

    steps: int
    seconds: float
    steps_per_second: float
    metrics: dict[str, float]
    signal: int = 0
