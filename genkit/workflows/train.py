"""From a plan to a trained model: what the command line and notebooks share."""

from __future__ import annotations

import math
import shutil
import warnings
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError, UsageError
from genkit.files import check_path, finite
from genkit.plan.activation import choose_backend
from genkit.plan.fitting import Outcome
from genkit.plan.plan import Plan, Recipe, make_plan
from genkit.plugins.display import in_words
from genkit.plugins.registry import installed
from genkit.runs.finding import with_init_found
from genkit.runs.loading import path_of
from genkit.runs.names import DEFAULT_RUNS_DIR, check_free, check_name, default_name
from genkit.runs.run import Run

if TYPE_CHECKING:
    import numpy as np

    from genkit.runs.loading import HasPath


@dataclass(frozen=True, repr=False)
class Result:
    """A run after one sitting of training; a notebook displays its samples, curves and figures.

    Args:
        run: the run directory.
        outcome: how the sitting ended.
    """

    run: Run
    outcome: Outcome

    @property
    def path(self) -> Path:
        return self.run.path

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The run's log as columns: ``step``, ``epoch``, ``seconds`` and each loss, float64.

        ``pandas.DataFrame(result.history)`` makes a table of it.
        """
        return self.run.history

    def __repr__(self) -> str:
        outcome, plan = self.outcome, self.run.plan
        what = f"{plan.model} on {plan.dataset} with {plan.backend}"
        length = f"{outcome.steps:,} step{'s' if outcome.steps != 1 else ''}"
        state = f"{self.run.status()['state']}, {length} in {outcome.seconds:.1f} s"
        said = [what, state, *([in_words(outcome.metrics)] if outcome.metrics else [])]
        return f"<Result {self.path}: {'; '.join(said)}>"

    def _repr_html_(self) -> str:
        return self.run._repr_html_()

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
    dataset: str | None = None,
    data: Mapping[str, Any] | None = None,
    preset: str | None = None,
    config: Mapping[str, Any] | None = None,
    backend: str | None = None,
    precision: str | None = None,
    trainer: str | None = None,
    trainer_config: Mapping[str, Any] | None = None,
    steps: int | None = None,
    epochs: int | None = None,
    time: str | float | None = None,
    batch_size: int | None = None,
    learning_rate_schedule: str | None = None,
    warmup_steps: int | None = None,
    seed: int | None = None,
    init: HasPath | str | Path | None = None,
    log: Sequence[str] | None = None,
    checkpoint_every: int | None = None,
    sample_every: int | None = None,
    keep: int | None = None,
    keep_best: str | None = None,
    validate_every: int | None = None,
    callbacks: Sequence[Any] | Mapping[str, Mapping[str, Any]] = (),
    runs_dir: str | Path = DEFAULT_RUNS_DIR,
    name: str | None = None,
    verbose: bool = True,
    **settings: Any,
) -> Result:
    """Train a model by name, as ``genkit run`` does.

    What is not given is as the preset says: ``genkit.info(model)`` shows them.

    Args:
        model: name of a registered model.
        dataset: name of a registered data set.
        data: settings of the data set.
        preset: the model's preset to start from.
        config: settings of the model, such as ``{"latent_dim": 8}``.
        backend: ``"jax"``, ``"torch"`` or ``"tensorflow"``.
        precision: ``"float32"``, ``"bfloat16"``, ``"float16"`` or ``"auto"``: what to compute in.
        trainer: name of a registered trainer.
        trainer_config: settings of the trainer.
        steps: training steps.
        epochs: passes over the data.
        time: training time: seconds, or ``"10m"``, ``"1h30m"``.
        batch_size: items in a batch.
        learning_rate_schedule: ``"constant"``, ``"linear"`` or ``"cosine"``: how learning rates
            fall over the run.
        warmup_steps: steps over which learning rates rise to their values.
        seed: of all randomness, 0 to 2**31 - 1.
        init: a run whose last weights to start from: its directory, or what ``train`` returned.
        log: callbacks that log, by name: ``["tensorboard"]``.
        checkpoint_every: steps between checkpoints.
        sample_every: steps between sample grids.
        keep: how many of the newest checkpoints stay.
        keep_best: a loss; the checkpoint where it was lowest stays too.
        validate_every: steps between looks at held-out data: the validation split where there is
            one, else a tenth of the items, at most 5,000, that are not learned from.
        callbacks: ``keras.callbacks.Callback`` objects; or, as in a recipe, registered names with
            their arguments.
        runs_dir: folder that holds the runs.
        name: the run's name; made from model, data set and time if not given.
        verbose: show progress.
        **settings: nothing else: a setting of the model is refused with where it belongs.

    Returns:
        the run and how it ended; ``genkit.load(result)`` gives the model, and a notebook displays
        its samples and curves.

    Raises:
        GenkitError: as the command line would report it.

    Example:
        >>> result = genkit.train("vae", dataset="digits", steps=100)  # doctest: +SKIP
        >>> genkit.load(result).generate(16).shape  # doctest: +SKIP
        (16, 8, 8, 1)
    """
    given = locals()
    asked = {**{key: given[key] for key in Recipe.model_fields if key in given}, **settings}
    if isinstance(callbacks, Mapping):
        callbacks = ()
    else:
        del asked["callbacks"]
    if init is not None:
        asked["init"] = getattr(init, "path", init)
    asked = with_init_found(asked, Path(runs_dir))
    return execute(make_plan(installed(), asked), Path(runs_dir), name, callbacks, verbose=verbose)


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
