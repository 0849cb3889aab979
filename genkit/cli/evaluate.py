"""``genkit evaluate``: measure a trained model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genkit.cli import completion, setting_completion
from genkit.cli import items as shared
from genkit.cli.output import JsonFlag, emit, say, table
from genkit.cli.run_argument import ModelArgument

if TYPE_CHECKING:
    from genkit.evaluation.figure import Figure

_BETTER = {"min": "lower", "max": "higher"}


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
        str, typer.Option(help="Which of its items, for data that has splits.")
    ] = "test",
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
            help="What makes features of images: mnist-classifier, fashion-classifier, mobilenet, "
            "inception (downloaded on use) or pixels. By default the data set's own classifier, or "
            "else pixels."
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", help="How many items to generate.")] = 10_000,
    seed: Annotated[
        int, typer.Option(help="Of the generated items and of everything random in metrics.")
    ] = 1,
    backend: shared.BackendOption = None,
    checkpoint: shared.CheckpointOption = None,
    as_json: JsonFlag = False,
) -> int:
    """Measure a trained model against data it has not seen.

    Every figure has a 95 % interval and a card that says how it was measured; figures whose cards
    differ are not compared. They are kept in RUN/evaluation.json: what is there already is not
    measured again, and an evaluation that was interrupted goes on.

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
    )
    result = {"run": str(run), "metrics": [figure.to_dict() for figure in figures]}
    emit(result, as_json, lambda: _show(figures))
    return 0


def _show(figures: list[Figure]) -> None:
    rows = [
        [
            figure.name,
            f"{figure.value:.4g}",
            f"{figure.low:.4g} to {figure.high:.4g}",
            _BETTER[figure.direction],
            str(figure.card.get("interval", "")),
        ]
        for figure in figures
    ]
    table("", ["metric", "value", "95 % interval", "better", "interval by"], rows)
    card = {key: value for figure in figures for key, value in figure.card.items()}
    notes = [f"seed {card['seed']}"]
    if "against" in card:  # else all of them look at samples alone
        notes.insert(0, f"against {card['n_real']} items of {card['against']} ({card['split']})")
    if "extractor" in card:
        notes.append(f"features by {card['extractor']}")
    text = ", ".join(notes)
    say(f"\n{text[0].upper()}{text[1:]}. The whole cards: --json.")
