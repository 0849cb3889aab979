"""From a plan to a trained model: what the command line and notebooks share."""

from __future__ import annotations

import math
import shutil
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.errors import RunError, UsageError
from genkit.files import check_path, finite
from genkit.plan.activation import choose_backend
from genkit.plan.fitting import Outcome
from genkit.plan.plan import Plan, make_plan
from genkit.plugins.registry import installed
from genkit.runs.finding import with_init_found
from genkit.runs.loading import path_of
from genkit.runs.names import DEFAULT_RUNS_DIR, check_free, check_name, default_name
from genkit.runs.run import Run


@dataclass(frozen=True)
class Result:
    """A run after one sitting of training.

    Args:
        run: the run directory.
        outcome: how the sitting ended.
    """

    run: Run
    outcome: Outcome

    @property
    def path(self) -> Path:
        return self.run.path

    def to_dict(self) -> dict[str, Any]:
        """Return the form that ``genkit run --json`` prints."""
        plan = self.run.plan
        return {
            "run": str(self.run.path),
            "model": plan.model,
            "dataset": plan.dataset,
            "backend": plan.backend,
            "state": self.run.status()["state"],
            "steps": self.outcome.steps,
            "seconds": round(self.outcome.seconds, 3),
            "steps_per_second": round(self.outcome.steps_per_second, 3),
            "metrics": finite(self.outcome.metrics),
            "init": self.run.environment().get("init"),
        }


def train(
    model: str,
    *,
    runs_dir: str | Path = DEFAULT_RUNS_DIR,
    name: str | None = None,
    callbacks: Sequence[Any] | Mapping[str, Mapping[str, Any]] = (),
    verbose: bool = True,
    **settings: Any,
) -> Result:
    """Train a model by name, as ``genkit run`` does.

    Args:
        model: name of a registered model.
        runs_dir: folder that holds the runs.
        name: the run's name; made from model, data set and time if not given.
        callbacks: ``keras.callbacks.Callback`` objects; or, as in a recipe, registered names with
            their arguments.
        verbose: show progress.
        **settings: what a recipe may say: ``dataset``, ``backend``, ``preset``, ``steps``,
            ``epochs``, ``time``, ``batch_size``, ``seed``, ``config`` and ``data`` (dicts), ...

    Returns:
        the run and how it ended; ``genkit.load(result.path)`` gives the model.

    Raises:
        GenkitError: as the command line would report it.

    Example:
        >>> result = genkit.train("vae", dataset="digits", steps=100)  # doctest: +SKIP
        >>> genkit.load(result.path).generate(16).shape  # doctest: +SKIP
        (16, 8, 8, 1)
    """
    settings["init"] = getattr(settings.get("init"), "path", settings.get("init"))
    settings = with_init_found(settings, Path(runs_dir))
    if isinstance(callbacks, Mapping):
        settings["callbacks"], callbacks = callbacks, ()
    plan = make_plan(installed(), {**settings, "model": model})
    return execute(plan, Path(runs_dir), name, callbacks, verbose=verbose)


def execute(
    plan: Plan,
    runs_dir: Path,
    name: str | None = None,
    callbacks: Sequence[Any] = (),
    *,
    verbose: bool = True,
) -> Result:
    """Carry out a plan in a new run directory.

    Raises:
        GenkitError: the name is none or taken, told before anything heavy is imported; or data,
            model, trainer and callbacks don't go together.
    """
    if name is not None:
        check_name(name)
    path = runs_dir / (name or default_name(plan))
    check_path(path)
    check_free(path)
    from genkit.workflows.sitting import Sitting

    sitting = Sitting(plan, callbacks, verbose=verbose, folder=path)
    if plan.init is not None:
        sitting.load_initial_weights(plan.init)
        if sitting.initial is not None and sitting.initial.left_out:
            warnings.warn(sitting.initial.summary(), stacklevel=2)
    run = Run.create(path, sitting.plan, sitting.environment(), sitting.source.assets)
    try:
        return Result(run, sitting.train(run))
    except UsageError:
        if not run.metrics():  # refused at the first step: nothing was trained
            shutil.rmtree(run.path, ignore_errors=True)
        raise


def resume(
    path: str | Path,
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
            f"The data of {path} has changed since the run began; it can't go on the same.",
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
    status = run.status()
    if status["state"] != "done" or (run.settings.steps or 0) > status["step"]:
        return None
    last: dict[str, Any] = next(iter(deque(run.iter_metrics(), maxlen=1)), {})
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
