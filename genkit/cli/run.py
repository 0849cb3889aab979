"""``genkit run``: train a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, note, say
from genkit.cli.plugin_commands import commands_for
from genkit.cli.recipe_flags import recipe_flags, recipe_of
from genkit.cli.workers import LauncherOption, WorkersOption

_TRAINING = "What to train"
_LENGTH = "How long"
_PLACE = "Where it goes"


@recipe_flags(_TRAINING, "backend", "dataset", "data", "preset", "config", after="model")
@recipe_flags(
    _TRAINING,
    "trainer",
    "trainer_config",
    "precision",
    "init",
    "seed",
    "batch_size",
    "learning_rate_schedule",
    "warmup_steps",
    after="recipe",
)
@recipe_flags(_LENGTH, "steps", "epochs", "time", after="recipe")
@recipe_flags(
    _PLACE,
    "checkpoint_every",
    "sample_every",
    "keep",
    "keep_best",
    "validate_every",
    "watch",
    "watch_every",
    "log",
    after="name",
)
def run(  # noqa: PLR0917
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="Name of the model; may stand in the recipe instead.",
            autocompletion=completion.models,
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="A TOML file with any of these settings.", rich_help_panel=_TRAINING),
    ] = None,
    runs_dir: Annotated[
        Path, typer.Option(help="Folder that holds the runs.", rich_help_panel=_PLACE)
    ] = Path("runs"),
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of the run; made from model, data and time if not given.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    workers: WorkersOption = None,
    launcher: LauncherOption = "local",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved plan and train nothing.")
    ] = False,
    as_json: JsonFlag = False,
    **asked: Any,
) -> int:
    """Train a model.

    Settings are laid over one another: defaults, preset, recipe, flags. What comes out is a run
    directory: samples, checkpoints, losses and the trained model.

    Examples:
      genkit run dcgan --backend jax
      genkit run vae --dataset image-folder --data path=photos --data transforms=resize=64
      genkit run vae --set latent_dim=32 --steps 2000 --dry-run
      genkit run vae --log tensorboard --log mlflow
      genkit run dcgan --workers 2
      torchrun --nproc-per-node 2 --no-python genkit run dcgan --launcher env
    """
    from genkit.files import check_path
    from genkit.plan.plan import make_plan, read_recipe
    from genkit.plugins.registry import installed
    from genkit.runs.finding import with_init_found
    from genkit.runs.names import check_free, check_name
    from genkit.workers.crew import Crew, check_crew

    flags = {"model": model, **recipe_of(asked)}
    layers = [
        with_init_found(each, runs_dir) for each in (flags, read_recipe(recipe) if recipe else {})
    ]
    plan = make_plan(installed(), *layers)
    if dry_run:
        emit(plan.model_dump(mode="json"), as_json, lambda: say(plan.model_dump_json(indent=2)))
        return 0
    crew = Crew(workers, launcher)
    if name is not None:  # told before anything heavy is imported
        check_name(name)
        check_path(runs_dir / name)
        if crew.place() is None:  # else the first worker may have made it already
            check_free(runs_dir / name)
    check_crew(crew, plan)
    leads = crew.leads()
    from genkit.workflows.train import execute

    if leads and not as_json:
        note(f"Training {plan.model} on {plan.dataset} with {plan.backend} ...")
    if leads and 0 in (plan.steps, plan.epochs):
        note("A length of 0 trains nothing: the run will hold the weights that it starts from.")
    result = execute(plan, runs_dir, name, crew=crew)
    return show_result(result, as_json) if leads else 0


def show_result(result: Any, as_json: bool) -> int:
    """Print how a sitting ended and return the exit code."""
    outcome, path = result.outcome, result.path

    def show() -> None:
        losses = "  ".join(f"{k} {v:.4g}" for k, v in outcome.metrics.items())
        steps = "1 step" if outcome.steps == 1 else f"{outcome.steps} steps"
        say(f"{path}: {steps} in {outcome.seconds:.1f} s  {losses}")
        if _ended_by_callback(result.run):
            say("Ended:    before its length was over, by a callback")
        shown = sorted(result.run.samples.glob("[0-9]*"))
        if shown:
            say(f"Samples:  {shown[-1]}")
        if (path / "report.html").exists():
            say(f"Report:   {path / 'report.html'}")
        for verb in _verbs(result.run.plan):
            say(f"More:     genkit {verb} {path}")

    emit(result.to_dict(), as_json, show)
    if outcome.signal:
        note(f"Stopped by a signal. Go on with: genkit resume {path}")
        return int(128 + outcome.signal)
    return 0


def _ended_by_callback(run: Any) -> bool:
    """Whether a callback, as early stopping is one, ended the run for good."""
    from genkit.runs import checkpoint_files, checkpoints

    if not checkpoints.steps(run.checkpoints):
        return False
    return checkpoint_files.read_position(checkpoints.last(run.checkpoints)).finished


def _verbs(plan: Any) -> list[str]:
    """Name what can be done with a trained model: generate, or what plugins' commands are for."""
    from genkit.runs.saved_model import model_entry

    capabilities = model_entry(plan.model, plan.distributions["model"]).spec.capabilities
    return [*(["generate"] if "generate" in capabilities else []), *commands_for(capabilities)]
