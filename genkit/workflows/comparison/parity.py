"""Whether backends compute the same: losses from one start, without layer randomness."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError

if TYPE_CHECKING:
    from genkit.plan.plan import Plan

# Rounding explains as much, as a share of the loss where that is above one. Adam makes it grow
# tenfold every few steps in some models; a difference in what is computed is there at once.
LIMIT = 1e-3
EARLY_LIMIT, EARLY_STEPS = 1e-5, 5
_NO_LOSSES = ("step", "epoch", "seconds")


def first_losses(plan: Plan, folder: Path) -> tuple[list[dict[str, Any]], list[str]]:
    """Train the steps of a plan in memory, without layer randomness.

    Args:
        plan: with ``init``, the shared start.
        folder: where its run would lie; nothing is written.

    Returns:
        the log's rows; and the layers whose randomness could not be switched off.

    Raises:
        RunError: the model has no steps, or the start is another model's.
    """
    from genkit.models.training.unsaved_run import UnsavedRun
    from genkit.workflows.sitting import Sitting

    sitting = Sitting(plan, (), verbose=False, folder=folder)
    from genkit.engine.keras_inside import silence_layers  # Keras: the plan's backend comes first

    if not sitting.trainer.stepwise:
        raise RunError(f"{plan.model} is solved at once: it has no steps to compare.")
    assert plan.init is not None
    sitting.load_initial_weights(plan.init)
    if sitting.initial is not None and sitting.initial.left_out:
        raise RunError(sitting.initial.summary())
    still_random = silence_layers(sitting.model)
    rows: list[dict[str, Any]] = []

    class Noted(UnsavedRun):
        def log(self, row: Mapping[str, Any]) -> None:
            rows.append(dict(row))

    sitting.trainer.fit(sitting.model, sitting.source, Noted(plan.settings()))
    return rows, still_random


def largest_difference(
    first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return where the losses of two logs differ most.

    Returns:
        ``difference``, absolute; ``relative``: the largest one as a share of the loss where that
        is above one; ``early``: the same over the first 5 steps; ``loss`` and ``step`` of the
        largest; ``steps`` compared. A loss that is NaN or infinite on one side differs by infinity.

    Raises:
        RunError: the logs have different steps or losses.
    """
    if [row["step"] for row in first] != [row["step"] for row in second] or not first:
        raise RunError("Expected the same steps on both backends.")
    worst: dict[str, Any] = {"difference": -1.0}
    relative = early = 0.0
    for ours, theirs in zip(first, second, strict=True):
        if ours.keys() != theirs.keys():
            raise RunError(f"Expected the losses {list(ours)}; received {list(theirs)}.")
        for name in ours.keys() - set(_NO_LOSSES):
            difference, scale = _difference(ours[name], theirs[name])
            relative = max(relative, difference / scale)
            if ours["step"] <= EARLY_STEPS:
                early = relative
            if difference > worst["difference"]:
                worst = {"difference": difference, "loss": name, "step": ours["step"]}
    return {**worst, "relative": relative, "early": early, "steps": len(first)}


def _difference(ours: float | None, theirs: float | None) -> tuple[float, float]:
    """Return a difference of losses and its scale; None is what JSON has for NaN and infinity."""
    if ours is None or theirs is None or not (math.isfinite(ours) and math.isfinite(theirs)):
        return math.inf, 1.0
    return abs(ours - theirs), max(1.0, abs(ours))
