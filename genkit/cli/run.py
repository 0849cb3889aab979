"""``genkit run``: train a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genkit.cli.output import JsonFlag, emit, note, say
from genkit.cli.plugin_commands import commands_for

_TRAINING = "What to train"
_LENGTH = "How long"
_PLACE = "Where it goes"


def run(  # noqa: PLR0917
    model: Annotated[
        str | None, typer.Argument(help="Name of the model; may stand in the recipe instead.")
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(
            help="jax, torch, tensorflow or auto (recipe, KERAS_BACKEND, first installed).",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="Name of the data set: genkit list datasets.", rich_help_panel=_TRAINING),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A setting of the data set, e.g. path=photos: genkit info DATASET. Repeatable.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Preset to start from: genkit info MODEL.", rich_help_panel=_TRAINING),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="A setting of the model, e.g. latent_dim=64: genkit info MODEL. Repeatable.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(help="A TOML file with any of these settings.", rich_help_panel=_TRAINING),
    ] = None,
    trainer: Annotated[
        str | None,
        typer.Option(help="Trainer; by default the model's own.", rich_help_panel=_TRAINING),
    ] = None,
    trainer_set: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="A setting of the trainer: genkit info TRAINER. Repeatable.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(
            help="What to compute in: float32, bfloat16, float16, or auto for the fastest that is "
            "safe here. Weights and losses are float32 always.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN",
            help="Start from the weights of another run, whichever backend made it.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of all randomness.", rich_help_panel=_TRAINING)
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Items in a batch.", rich_help_panel=_TRAINING)
    ] = None,
    steps: Annotated[
        int | None, typer.Option(help="Training steps.", rich_help_panel=_LENGTH)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the data.", rich_help_panel=_LENGTH)
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            help="Training time: 90s, 10m, 1h30m. The first limit reached ends the run.",
            rich_help_panel=_LENGTH,
        ),
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
    checkpoint_every: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS",
            help="Steps between checkpoints: what a killed run can lose. Default 500.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    sample_every: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS", help="Steps between sample grids. Default 500.", rich_help_panel=_PLACE
        ),
    ] = None,
    keep: Annotated[
        int | None,
        typer.Option(
            metavar="K",
            help="How many of the newest checkpoints stay. Default 2.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    keep_best: Annotated[
        str | None,
        typer.Option(
            metavar="LOSS",
            help="Keep the checkpoint where this loss was lowest, too: its mean since the "
            "checkpoint before. Use it with: genkit generate RUN --checkpoint best",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    log: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Log to tensorboard or mlflow, into the run directory: genkit list callbacks. "
            "Repeatable.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the resolved plan and train nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> int:
    """Train a model.

    Settings are laid over one another: defaults, preset, recipe, flags. What comes out is a run
    directory: samples, checkpoints, losses and the trained model.

    Examples:
      genkit run dcgan --backend jax
      genkit run vae --dataset image-folder --data path=photos --data transforms=resize=64
      genkit run vae --set latent_dim=32 --steps 2000 --dry-run
      genkit run vae --log tensorboard --log mlflow
    """
    from genkit.plan import make_plan, parse_settings, read_recipe
    from genkit.registry import installed

    flags: dict[str, Any] = {
        "model": model,
        "backend": backend,
        "dataset": dataset,
        "data": parse_settings(data, "--data") if data else None,
        "preset": preset,
        "config": parse_settings(set_, "--set") if set_ else None,
        "trainer": trainer,
        "trainer_config": parse_settings(trainer_set, "--trainer-set") if trainer_set else None,
        "precision": precision,
        "init": str(init) if init else None,
        "seed": seed,
        "batch_size": batch_size,
        "steps": steps,
        "epochs": epochs,
        "time": time,
        "checkpoint_every": checkpoint_every,
        "sample_every": sample_every,
        "keep": keep,
        "keep_best": keep_best,
        "log": log or None,
    }
    plan = make_plan(installed(), flags, read_recipe(recipe) if recipe else None)
    if dry_run:
        emit(plan.model_dump(mode="json"), as_json, lambda: say(plan.model_dump_json(indent=2)))
        return 0
    from genkit.api import execute

    if not as_json:
        note(f"Training {plan.model} on {plan.dataset} with {plan.backend} ...")
    return report(execute(plan, runs_dir, name), as_json)


def report(result: Any, as_json: bool) -> int:
    """Tell how a sitting ended; give the exit code."""
    outcome, path = result.outcome, result.path

    def show() -> None:
        losses = "  ".join(f"{k} {v:.4g}" for k, v in outcome.metrics.items())
        steps = "1 step" if outcome.steps == 1 else f"{outcome.steps} steps"
        say(f"{path}: {steps} in {outcome.seconds:.1f} s  {losses}")
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


def _verbs(plan: Any) -> list[str]:
    """Name what can be done with a trained model: generate, or what plugins' commands are for."""
    from genkit.opening import model_entry

    capabilities = model_entry(plan.model, plan.distributions["model"]).spec.capabilities
    return [*(["generate"] if "generate" in capabilities else []), *commands_for(capabilities)]
