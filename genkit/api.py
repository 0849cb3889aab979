"""From a plan to a trained model and back: what the command line and notebooks share."""

from __future__ import annotations

import os
import platform
import random
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit import backend
from genkit.errors import RunError, UsageError
from genkit.export import build_model, is_export, read_export, write_export
from genkit.plan import Plan, make_plan
from genkit.registry import Registry, installed, own_version
from genkit.runs import DEFAULT_RUNS_DIR, Run, check_free, finite
from genkit.specs import Schema, resolve
from genkit.training.settings import Outcome

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.model import Model
    from genkit.training.trainer import Trainer


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
        """Give the form that ``genkit run --json`` prints."""
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
    """Carry out a plan in a new run directory."""
    if name is not None:
        _check_name(name)
        check_free(runs_dir / name)
    sitting = _Sitting(plan, callbacks, verbose=verbose)
    if plan.init is not None:
        from genkit.engine.state import ModelState
        from genkit.training import checkpoints

        initial = Run.open(Path(plan.init))
        checkpoints.load_weights(checkpoints.last(initial.checkpoints), ModelState(sitting.model))
    return sitting.train(Run.create(plan, sitting.environment(), runs_dir, name))


def resume(
    path: Path,
    more_steps: int | None = None,
    *,
    verbose: bool = True,
    callbacks: Sequence[Any] = (),
) -> Result:
    """Go on with a run from its last checkpoint.

    Args:
        path: the run directory.
        more_steps: steps to add to those done; without it the plan's own length holds.
        verbose: show progress.
        callbacks: ``keras.callbacks.Callback`` objects.

    Raises:
        RunError: not a run, in use, or made from other data.
    """
    run = Run.open(path)
    backend.activate(run.plan.backend)
    if more_steps is not None:
        run = Run(path, _lengthened(run, more_steps))
    sitting = _Sitting(run.plan, callbacks, verbose=verbose)
    before, now = run.environment(), sitting.environment()
    if before.get("data", {}).get("fingerprint") != now["data"]["fingerprint"]:
        raise RunError(
            f"The data of {path} has changed since the run began; it can't go on the same.",
            "Bring the data back, or start from its weights: genkit run ... --init RUN",
        )
    if before.get("device", {}).get("threads") != now["device"]["threads"]:
        warnings.warn(
            "The thread count has changed since the run began: results will not be the same bits.",
            stacklevel=2,
        )
    return sitting.train(run)


def load(run_or_path: Result | Run | str | Path, backend_name: str | None = None) -> Model:
    """Load a trained model, on whichever backend is active.

    Args:
        run_or_path: what ``train`` returned, a run directory, or an exported ``model`` folder.
        backend_name: backend to activate; by default the active or preferred one.

    Returns:
        the model with the run's last complete checkpoint, averaged weights where there are any.

    Raises:
        RunError: no run or model there, or it is damaged.
    """
    path = Path(run_or_path) if isinstance(run_or_path, (str, Path)) else run_or_path.path
    if is_export(path):
        backend.activate(backend_name)
        return read_export(path)
    run = Run.open(path)
    if backend_name is None and run.plan.backend in backend.installed_backends():
        backend_name = backend.active_backend() or run.plan.backend
    backend.activate(backend_name)
    from genkit.engine.state import ModelState
    from genkit.training import checkpoints

    schema = Schema.from_dict(run.environment().get("data", {}).get("schema") or {})
    model = build_model(run.plan.model, run.plan.distributions["model"], run.plan.config, schema)
    checkpoints.restore(checkpoints.last(run.checkpoints), ModelState(model))
    model.use_averaged_weights()
    return model


def open_data(plan: Plan, registry: Registry) -> Source:
    """Open the data set of a plan."""
    entry = registry.find("datasets", f"{plan.distributions['dataset']}/{plan.dataset}")
    config = resolve(entry.spec.config).model_validate(plan.data)
    source: Source = resolve(entry.spec.source)(config)
    return source


class _Sitting:
    """Everything one sitting of training needs, made and checked before a file is written."""

    def __init__(self, plan: Plan, callbacks: Sequence[Any], *, verbose: bool) -> None:
        self.plan = plan
        self.registry = installed()
        backend.activate(plan.backend)
        self.source = open_data(plan, self.registry)
        self.model = _new_model(plan, self.source.schema, self.registry)
        name = f"{plan.distributions['trainer']}/{plan.trainer}"
        self.trainer: Trainer = resolve(self.registry.find("trainers", name).spec.trainer)()
        self.trainer.check(self.model, self.source, plan.settings())
        self.callbacks = [*callbacks, *_plan_callbacks(plan, self.registry)]
        if verbose and self.trainer.steps:
            from genkit.training.progress import Progress

            self.callbacks.append(Progress())

    def environment(self) -> dict[str, Any]:
        return _environment(self.registry, self.source)

    def train(self, run: Run) -> Result:
        from genkit.training import checkpoints

        with run.writing():
            try:
                outcome = self.trainer.fit(self.model, self.source, run, self.callbacks)
                write_export(run.path / "model", self.model, self.plan, vars(outcome))
            except BaseException as error:
                step = max(checkpoints.steps(run.checkpoints), default=0)
                with suppress(OSError):  # on a full disk the first error is the one to tell
                    run.set_status("failed", step, error=str(error))
                raise
            run.set_status("stopped" if outcome.signal else "done", outcome.steps)
        return Result(run, outcome)


def _new_model(plan: Plan, schema: Schema, registry: Registry) -> Model:
    # Keras draws the seeds of initial weights and of layer randomness from `random`. Its own
    # set_random_seed would import every installed framework.
    kept = random.getstate()
    random.seed(plan.seed)
    try:
        return build_model(plan.model, plan.distributions["model"], plan.config, schema, registry)
    finally:
        random.setstate(kept)


def _plan_callbacks(plan: Plan, registry: Registry) -> list[Any]:
    made = []
    for name, settings in plan.callbacks.items():
        callback = resolve(registry.find("callbacks", name).spec.callback)
        try:
            made.append(callback(**settings))
        except (TypeError, ValueError) as error:
            raise UsageError(f"The callback {name!r} can't be made: {error}.") from error
    return made


def _lengthened(run: Run, more_steps: int) -> Plan:
    from genkit.runs import write_json
    from genkit.training import checkpoints

    if more_steps < 1:
        raise UsageError(
            f"Expected a number of further steps of at least 1; received {more_steps}."
        )
    done = max(checkpoints.steps(run.checkpoints), default=0)
    plan = run.plan.model_copy(update={"steps": done + more_steps, "epochs": None, "time": None})
    with run.writing():
        write_json(run.path / "plan.json", plan.model_dump(mode="json"))
    return plan


def _environment(registry: Registry, source: Source) -> dict[str, Any]:
    from genkit import engine

    names = ("keras", "numpy")
    active = backend.active_backend() or ""
    return {
        "created": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "genkit": own_version(),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "versions": {
            **{name: version(name) for name in names},
            active: backend.backend_version(active),
        },
        "plugins": {plugin.distribution: plugin.version for plugin in registry.plugins},
        "device": engine.device(),
        "data": {
            "items": len(source),
            "fingerprint": source.fingerprint(),
            "schema": source.schema.to_dict(),
        },
    }


def _check_name(name: str) -> None:
    if Path(name).name != name or not name or name.startswith("."):
        raise UsageError(
            f"Expected a run name without slashes or a leading dot; received {name!r}."
        )
