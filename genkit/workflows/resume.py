"""From a run that has stopped to a trained model, for the command line and for Python."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError
from genkit.plan.activation import choose_backend
from genkit.plan.fitting import Outcome
from genkit.plugins.registry import installed
from genkit.runs.loading import path_of
from genkit.runs.run import Run
from genkit.workflows.train import Result

if TYPE_CHECKING:
    from genkit.runs.loading import HasPath


def resume(
    path: HasPath | str | Path,
    more_steps: int | None = None,
    *,
    backend: str | None = None,
    verbose: bool = True,
    callbacks: Sequence[Any] = (),
) -> Result:
    """Go on with a run from its last checkpoint.

    Args:
        path: the run's directory, its name, or ``"latest"``.
        more_steps: steps to train in this sitting; without it the plan's own length holds.
        backend: backend to go on with; the plan's own if not given.
        verbose: show progress.
        callbacks: ``keras.callbacks.Callback`` objects.

    Returns:
        the run and how the sitting ended; at once where the run is finished.

    Raises:
        RunError: not a run, in use, or made from other data.
    """
    run = Run.open(path_of(path))
    if more_steps is None and (finished := finished_outcome(run)) is not None:
        return Result(run, finished)
    for name in run.plan.callbacks:
        installed().find("callbacks", name).check_packages()
    from genkit.runs import checkpoint_files, checkpoints
    from genkit.workflows.sitting import Sitting

    if more_steps is not None:
        run.go_on_for(more_steps)
    elif (goal := run.interrupted_goal()) is not None:
        run.go_on_until(goal)
    if backend is not None:
        run.plan = run.plan.model_copy(update={"backend": choose_backend(backend)})
    begun = bool(checkpoints.steps(run.checkpoints))
    sitting = Sitting(
        run.plan,
        callbacks,
        verbose=verbose,
        folder=run.path,
        at_most=checkpoint_files.most_weights(checkpoints.last(run.checkpoints)) if begun else None,
    )
    if run.plan.init is not None and not begun:
        sitting.load_initial_weights(run.plan.init)
    before, now = run.environment(), sitting.environment()
    if before.get("data", {}).get("fingerprint") != now["data"]["fingerprint"]:
        raise RunError(
            f"The data of {run.path} has changed since the run began; it can't go on the same.",
            "Bring the data back, or start from its weights: genkit run ... --init RUN",
        )
    if changed := _changed(before, now):
        warnings.warn(
            f"Since the run began, {', '.join(changed)}: results will not be the same bits.",
            stacklevel=2,
        )
    return Result(run, sitting.train(run, later=now))


def finished_outcome(run: Run) -> Outcome | None:
    """Return how a run ended that has reached the length of its plan; None if it goes on."""
    from genkit.runs import checkpoints

    status = run.status()
    if status["state"] != "done" or (run.settings.steps or 0) > status["step"]:
        return None
    if status["step"] not in checkpoints.steps(run.checkpoints):
        return None  # its last weights are gone: it is trained to its end again
    last = run.last_row() or {}
    losses = {name: value for name, value in last.items() if name not in ("step", "epoch")}
    seconds = losses.pop("seconds", 0.0)
    metrics = {name: math.nan if value is None else value for name, value in losses.items()}
    return Outcome(status["step"], seconds, 0.0, metrics, 0)


def _changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """List what decides the bits of results and isn't as it was; a new backend was asked for."""
    changed = []
    then, versions = before.get("versions", {}), now["versions"]
    if then.keys() == versions.keys():
        changed += [
            f"{name} has become {version} (it was {then[name]})"
            for name, version in versions.items()
            if then[name] != version
        ]
        new = now["settings"]
        old = before.get("settings", new)
        changed += [
            f"{name} has become {new.get(name, 'unset')} (it was {old.get(name, 'unset')})"
            for name in sorted(old | new)
            if old.get(name) != new.get(name)
        ]
    if before.get("device", {}).get("threads") != now["device"]["threads"]:
        changed.append("the thread count has changed")
    if before.get("processor", now["processor"]) != now["processor"]:
        changed.append(f"the processor is another ({now['processor']})")
    return changed
