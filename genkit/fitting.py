"""How long and how to train: what the loop needs to know, apart from model and data."""

from __future__ import annotations

from dataclasses import dataclass, field


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
        sample_every: steps between sample grids.
    """

    batch_size: int = 64
    epochs: int | None = None
    steps: int | None = None
    seconds: float | None = None
    seed: int = 0
    checkpoint_every: int = 500
    sample_every: int = 500

    def total_steps(self, steps_per_epoch: int) -> int | None:
        """Give the number of steps after which the run is done; None if only time ends it."""
        limits = [
            limit
            for limit in (self.steps, self.epochs and self.epochs * steps_per_epoch)
            if limit is not None
        ]
        return min(limits, default=None)


@dataclass
class Position:
    """Where a run stands; what a checkpoint's ``state.json`` records beside the arrays.

    Args:
        step: training steps done.
        seconds: training time so far.
        epoch_sums: each loss summed over the steps of the unfinished epoch.
        metrics: the last step's losses.
    """

    step: int = 0
    seconds: float = 0.0
    epoch_sums: dict[str, float] = field(default_factory=dict)
    metrics: dict[str, float] | None = None


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
