"""From a plan to a trained model, for the command line and for Python."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.files import check_path, finite
from genkit.plan.fitting import Outcome
from genkit.plan.from_program import MEMORY
from genkit.plan.plan import Plan, Recipe, make_plan
from genkit.plugins.display import in_words
from genkit.plugins.registry import installed
from genkit.runs.finding import with_init_found
from genkit.runs.handed_over import modalities_of, offer_data, offer_model
from genkit.runs.names import DEFAULT_RUNS_DIR, check_free, check_name, default_name
from genkit.runs.run import Run
from genkit.workers.crew import ALONE, Crew, check_crew
from genkit.workflows.together import joining, start

if TYPE_CHECKING:
    import numpy as np

    from genkit.models.model import Model
    from genkit.runs.loading import HasPath
    from genkit.workers.line import Line


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
    model: str | Model | Callable[..., Model],
    *,
    dataset: Any = None,
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
    watch: Sequence[str] | None = None,
    watch_every: int | None = None,
    callbacks: Sequence[Any] | Mapping[str, Mapping[str, Any]] = (),
    runs_dir: str | Path = DEFAULT_RUNS_DIR,
    name: str | None = None,
    verbose: bool = True,
    workers: int | None = None,
    launcher: str = "local",
    **settings: Any,
) -> Result:
    """Train a model, as ``genkit run`` does.

    What is not given is as the preset says: ``genkit.info(model)`` shows them.

    Args:
        model: name of a registered model; or one of your own, without a plugin: a ``genkit.Model``,
            or a function or class that makes one, of the data's schema or of nothing.
        dataset: name of a registered data set; or the data itself, whatever ``fit`` takes.
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
        init: a run whose last weights to start from: its directory, or what ``train`` returned; or
            the folder of an exported model.
        log: callbacks that log, by name: ``["tensorboard"]``.
        checkpoint_every: steps between checkpoints.
        sample_every: steps between sample grids.
        keep: how many of the newest checkpoints stay.
        keep_best: a loss or a watched figure; the checkpoint where it was best stays too.
        validate_every: steps between looks at held-out data: the validation split where there is
            one, else a tenth of the items, at most 5,000, that are not learned from.
        watch: metrics to measure while training goes on, by name, ``["fid"]``: of 1,000 samples,
            against as many held-out items or, without ``validate_every``, training items.
        watch_every: steps between their figures.
        callbacks: ``keras.callbacks.Callback`` objects; or, as in a recipe, registered names with
            their arguments.
        runs_dir: folder that holds the runs.
        name: the run's name; made from model, data set and time if not given.
        verbose: show progress.
        workers: how many processes train together, each on a device of its own and on its part of
            each batch: the run is that of one process, to rounding. One when left out.
        launcher: what starts them: ``"local"`` does on this machine; with ``"env"`` this process
            is one of those that torchrun, srun or mpirun has started; plugins bring more.
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
    if not isinstance(model, str):
        asked["model"] = offer_model(model)
    if dataset is not None and not isinstance(dataset, str):
        offered = offer_data(dataset, modalities_of(str(asked["model"])))
        asked |= {"dataset": MEMORY, "data": {**(data or {}), **offered}}
    asked = with_init_found(asked, Path(runs_dir))
    return execute(
        make_plan(installed(), asked),
        Path(runs_dir),
        name,
        callbacks,
        verbose=verbose,
        crew=Crew(workers, launcher),
    )


def execute(
    plan: Plan,
    runs_dir: Path,
    name: str | None = None,
    callbacks: Sequence[Any] = (),
    *,
    verbose: bool = True,
    crew: Crew = ALONE,
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
    if crew.is_alone:
        check_free(path)
        return train_in(path, plan, callbacks, verbose=verbose)
    check_crew(crew, plan, callbacks)
    if (team := crew.place()) is not None:
        with joining(team, plan, path) as (line, agreed):
            return train_in(agreed, plan, callbacks, verbose=verbose, line=line)
    check_free(path)
    outcome = start(crew, path, plan, {"do": "train", "verbose": verbose})
    return Result(Run.open(path), outcome)


def train_in(
    path: Path,
    plan: Plan,
    callbacks: Sequence[Any] = (),
    *,
    verbose: bool = True,
    line: Line | None = None,
) -> Result:
    """Carry out a plan in this process, in a run directory that is made.

    Args:
        path: the directory.
        plan: what to do.
        callbacks: ``keras.callbacks.Callback`` objects.
        verbose: show progress.
        line: to the other workers, of one that trains with them.
    """
    from genkit.workflows.sitting import Sitting

    sitting = Sitting(plan, callbacks, verbose=verbose, folder=path, line=line)
    if plan.init is not None:
        sitting.load_initial_weights(plan.init)
        if sitting.initial is not None and sitting.initial.left_out and sitting.leads:
            warnings.warn(sitting.initial.summary(), stacklevel=2)
    if not sitting.leads:
        run = Run(path, sitting.plan)
        return Result(run, sitting.train(run))
    run = Run.create(path, sitting.plan, sitting.environment(), sitting.source.assets)
    try:
        return Result(run, sitting.train(run))
    except UsageError:
        if run.last_row() is None:  # refused at the first step: nothing was trained
            shutil.rmtree(run.path, ignore_errors=True)
        raise
