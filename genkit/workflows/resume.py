"""From a run that has stopped to a trained model, for the command line and for Python."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError
from genkit.plan.activation import choose_backend
from genkit.plan.compute_settings import compute_settings
from genkit.plan.fitting import Outcome
from genkit.plugins.registry import installed
from genkit.runs.handed_over import hand_over
from genkit.runs.loading import path_of
from genkit.runs.run import Run
from genkit.workers.crew import Crew, check_crew
from genkit.workflows.together import joining, start
from genkit.workflows.train import Result

if TYPE_CHECKING:
    from genkit.runs.loading import HasPath
    from genkit.workers.line import Line


def resume(
    path: HasPath | str | Path,
    more_steps: int | None = None,
    *,
    backend: str | None = None,
    dataset: Any = None,
    model: Any = None,
    verbose: bool = True,
    callbacks: Sequence[Any] = (),
    workers: int | None = None,
    launcher: str = "local",
) -> Result:
    """Go on with a run from its last checkpoint.

    Args:
        path: the run's directory, its name, or ``"latest"``.
        more_steps: steps to train in this sitting; without it the plan's own length holds.
        backend: backend to go on with; the plan's own if not given.
        dataset: of a run on a program's own data: the same data again. In the process that trained
            it, it is known.
        model: of a run of a program's own model: that model again, or what builds it.
        verbose: show progress.
        callbacks: ``keras.callbacks.Callback`` objects.
        workers: how many processes go on with it together, whatever their number was before; see
            ``train``.
        launcher: what starts them, as for ``train``.

    Returns:
        the run and how the sitting ended; at once where the run is finished.

    Raises:
        RunError: not a run, in use, or made from other data.
    """
    run = Run.open(path_of(path))
    hand_over(run.plan, dataset=dataset, model=model)
    if more_steps is None and (finished := finished_outcome(run)) is not None:
        return Result(run, finished)
    for name in run.plan.callbacks:
        installed().find("callbacks", name).check_packages()
    if more_steps is not None:
        run.go_on_for(more_steps)
    elif (goal := run.interrupted_goal()) is not None:
        run.go_on_until(goal)
    if backend is not None:
        run.plan = run.plan.model_copy(update={"backend": choose_backend(backend)})
    crew = Crew(workers, launcher)
    if crew.is_alone:
        return resume_in(run, callbacks, verbose=verbose)
    check_crew(crew, run.plan, callbacks)
    if (team := crew.place()) is not None:
        with joining(team, run.plan, run.path, new=False) as (line, _):
            return resume_in(run, callbacks, verbose=verbose, line=line)
    order = {"do": "resume", "until": run.until, "verbose": verbose}
    return Result(run, start(crew, run.path, run.plan, order))


def resume_in(
    run: Run, callbacks: Sequence[Any] = (), *, verbose: bool = True, line: Line | None = None
) -> Result:
    """Go on with a run in this process.

    Args:
        run: with the backend, and the step to go on to, that are wished for.
        callbacks: ``keras.callbacks.Callback`` objects.
        verbose: show progress.
        line: to the other workers, of one that trains with them.
    """
    from genkit.runs import checkpoint_files, checkpoints
    from genkit.workflows.sitting import Sitting

    begun = bool(checkpoints.steps(run.checkpoints))
    sitting = Sitting(
        run.plan,
        callbacks,
        verbose=verbose,
        folder=run.path,
        at_most=checkpoint_files.most_weights(checkpoints.last(run.checkpoints)) if begun else None,
        line=line,
    )
    if run.plan.init is not None and not begun:
        sitting.load_initial_weights(run.plan.init)
    before, now = run.environment(), sitting.environment()
    if before.get("data", {}).get("fingerprint") != now["data"]["fingerprint"]:
        raise RunError(
            f"The data of {run.path} has changed since the run began; it can't go on the same.",
            "Bring the data back, or start from its weights: genkit run ... --init RUN",
        )
    if sitting.leads and (changed := _changed(before, now)):
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
        old = compute_settings(before.get("settings", new))  # older runs kept some more
        changed += [
            f"{name} has become {new.get(name, 'unset')} (it was {old.get(name, 'unset')})"
            for name in sorted(old | new)
            if old.get(name) != new.get(name)
        ]
    if before.get("device", {}).get("threads") != now["device"]["threads"]:
        changed.append("the thread count has changed")
    workers = before.get("workers", 1), now.get("workers", 1)
    if workers[0] != workers[1]:
        changed.append(f"the number of workers has become {workers[1]} (it was {workers[0]})")
    if before.get("processor", now["processor"]) != now["processor"]:
        changed.append(f"the processor is another ({now['processor']})")
    return changed
