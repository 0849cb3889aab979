"""``genkit evaluate``: measure a trained model."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genkit.cli import completion, setting_completion
from genkit.cli import items as shared
from genkit.cli.figures import show_figures
from genkit.cli.output import JsonFlag, emit
from genkit.cli.run_argument import ModelArgument

if TYPE_CHECKING:
    from genkit.builtin.zoo import ZooModel


def evaluate(  # noqa: PLR0917
    run: ModelArgument,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET",
            help="Data set to compare with; by default the run's own.",
            autocompletion=completion.datasets,
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Another setting of that data set, e.g. transforms=resize=32. Repeatable.",
            autocompletion=setting_completion.data_keys,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Which of its items, for data that has splits; by default those held out.",
            autocompletion=setting_completion.splits,
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="fid,kid,...",
            help="By default all that fit: genkit list metrics.",
            autocompletion=completion.metrics,
        ),
    ] = None,
    extractor: Annotated[
        str | None,
        typer.Option(
            help="What makes features of items: genkit list extractors. By default that which the "
            "data set names, or else the usual one of its modality: pixels for images.",
            autocompletion=completion.extractors,
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", help="How many items to generate.")] = 10_000,
    seed: Annotated[
        int, typer.Option(help="Of the generated items and of everything random in metrics.")
    ] = 1,
    backend: shared.BackendOption = None,
    checkpoint: shared.CheckpointOption = None,
    workers: shared.WorkersOption = 1,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", "-v", help="Show all figures, and how each was measured."),
    ] = False,
    as_json: JsonFlag = False,
) -> int:
    """Measure a trained model against data it has not seen.

    Every figure has a 95 % interval and a card that says how it was measured; figures whose cards
    differ are not compared. Shown are those that one looks at first, beside what the same model of
    the zoo has (docs/zoo.md); --verbose shows all. They are kept in RUN/evaluation.json: what is
    there already is not measured again, and an evaluation that was interrupted goes on.

    Examples:
      genkit evaluate runs/mine
      genkit evaluate runs/mine --metrics fid,kid --n 50000 --json
      genkit evaluate runs/mine --against fashion-mnist --split train --extractor pixels
    """
    from genkit.plan.plan import parse_settings
    from genkit.workflows.evaluate import evaluate as measure

    figures = measure(
        run,
        against=against,
        data=parse_settings(data or (), "--data"),
        split=split,
        metrics=None if metrics is None else [name.strip() for name in metrics.split(",")],
        extractor=extractor,
        n=n,
        seed=seed,
        backend=backend,
        checkpoint=checkpoint,
        workers=workers,
    )
    title, zoo = _what(run)
    result = {
        "run": str(run),
        "metrics": [figure.to_dict() for figure in figures],
        "zoo": None if zoo is None else dataclasses.asdict(zoo),
    }
    emit(
        result,
        as_json,
        lambda: show_figures(
            title, figures, zoo, folder=run, asked=metrics is not None, verbose=verbose
        ),
    )
    return 0


def _what(path: Path) -> tuple[str, ZooModel | None]:
    """Return what was measured in words, and what the zoo has of its kind."""
    from genkit.builtin.zoo import find_zoo_model
    from genkit.runs.kept_figures import read_figures
    from genkit.runs.names import is_export
    from genkit.runs.run import Run
    from genkit.runs.saved_model import named_model

    if is_export(path):
        return f"{named_model(path)[0]}, an exported model", None
    opened, step = Run.open(path), read_figures(path).step
    plan, said = opened.plan, [f"step {step:,}"] if step is not None else []
    # Beside what attacks find stands what is promised of them.
    said += [told] if (told := opened.statement().facts.get("guarantee")) else []
    return ", ".join([f"{plan.model} on {plan.dataset}", *said]), find_zoo_model(
        plan.model, plan.dataset, plan.preset
    )
