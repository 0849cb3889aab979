"""``genkit augment``: does generated data help a classifier?"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, note, say, table
from genkit.cli.recipe_flags import recipe_flags, recipe_of
from genkit.errors import UsageError

_DATA = "The data"
_GENERATOR = "The generator"
_TRIAL = "The trial"
_PLACE = "Where it goes"


@recipe_flags(
    _DATA,
    "dataset",
    "data",
    after="model",
    dataset="Items with labels and a test split; the model's own if not given.",
)
@recipe_flags(
    _GENERATOR,
    "config",
    "steps",
    "epochs",
    "backend",
    after="per_class",
    config="A setting of the model: genkit info MODEL. Repeatable.",
    steps="Training steps of each generator, if it learns in steps. Default 1500.",
    epochs="Its passes over the real items, instead of --steps.",
    backend="jax, torch, tensorflow or auto.",
)
def augment(  # noqa: PLR0917
    model: Annotated[
        str,
        typer.Option(
            help="A model that generates by label: it needs data with a label (genkit info MODEL), "
            "or has the setting conditional. Or one that can be asked for what its learner names, "
            "as models of tables can.",
            rich_help_panel=_GENERATOR,
            autocompletion=completion.models,
        ),
    ],
    per_class: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Real training items of each class: all that generator and classifier see. "
            "Default 50.",
            rich_help_panel=_DATA,
        ),
    ] = None,
    ratios: Annotated[
        str | None,
        typer.Option(
            metavar="R,R,...",
            help="Synthetic items for each real one. Each more ratio makes the verdict stricter at "
            "all of them. Default 0.5,1,2,5.",
            rich_help_panel=_TRIAL,
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Repetitions, each with its own subset, generator and first weights; the n of the "
            "test, at least 3. Few seeds give wide intervals. Default 5.",
            rich_help_panel=_TRIAL,
        ),
    ] = None,
    classifier_steps: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS",
            help="Training steps of every classifier, the same in every arm. Default 1000; of "
            "another modality as its learner says.",
            rich_help_panel=_TRIAL,
        ),
    ] = None,
    classical: Annotated[
        str | None,
        typer.Option(
            metavar="WORDS",
            help='Classical augmentation: of images some of "flip translation cutout". flip is no '
            "default: a mirrored digit is no digit. Default 'translation cutout'.",
            autocompletion=completion.classical,
            rich_help_panel=_TRIAL,
        ),
    ] = None,
    workers: Annotated[
        int,
        typer.Option(
            metavar="NUMBER",
            help="How many seeds are done at a time, each by a process of its own: what comes out "
            "is the same.",
            rich_help_panel=_TRIAL,
        ),
    ] = 1,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to; augmentations/NAME if not given.", rich_help_panel=_PLACE
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(
            help="Name of this one; made from model, data and --per-class if not given. Short for "
            "--out augmentations/NAME.",
            rich_help_panel=_PLACE,
        ),
    ] = None,
    as_json: JsonFlag = False,
    **asked: Any,
) -> int:
    """Test whether generated data helps a classifier.

    For each seed, a generator learns from a small labelled subset and makes labelled items. Then
    the same classifier is trained on real items, on real items with classical augmentation, on
    synthetic ones, on both, and on all three, at each ratio, and tested on the test split, which
    nothing else has seen. The verdict is helps, hurts or can't tell.

    The same command again goes on where it was. The generators are ordinary runs; the mixed data
    set, of images an image folder, says of each item where it comes from. For items of other
    modalities plugins bring the classifier: genkit list learners.

    Examples:
      genkit augment --model cvae --dataset fashion-mnist --per-class 50
      genkit augment --model cgan --dataset digits --per-class 20 --ratios 1,4 --seeds 8
      genkit augment --model ddpm --set conditional=true --dataset mnist --per-class 100
    """
    from genkit.workflows.augment import augment as carry_out

    ended = carry_out(
        model,
        per_class=per_class,
        ratios=_numbers(ratios) if ratios is not None else None,
        seeds=seeds,
        classifier_steps=classifier_steps,
        classical=classical.split() if classical is not None else None,
        workers=workers,
        out=out,
        name=name,
        **recipe_of(asked),
    )
    result = {
        "folder": str(ended.folder),
        "state": "stopped" if ended.signal else "done",
        **ended.summary,
    }
    emit(result, as_json, lambda: _show(result) if ended.summary else None)
    if ended.signal:
        note("Stopped by a signal. Go on with the same command.")
        return 128 + ended.signal
    return 0


def _numbers(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(
            f"Expected --ratios as numbers between commas, 0.5,1,2; received {text!r}."
        ) from None


def _show(result: Mapping[str, Any]) -> None:
    measure = result["measure"]
    for name, found in {measure: result["table"], **result["also"]}.items():
        rows = [[row["arm"], _ratio(row), _percent(row[name]), _between(row)] for row in found]
        what = name[0].upper() + name[1:]
        title = f"{what} on {result['test_items']} test items, n {result['seeds']} seeds"
        table(title, ["arm", "ratio", "mean", "95 % t interval"], rows)
        say()
    rows = [
        [row["corruption"], row["arm"], _ratio(row), _percent(row[measure]), _between(row)]
        for row in result["robustness"]
    ]
    if rows:
        table("Robustness", ["corruption", "arm", "ratio", "mean", "95 % t interval"], rows)
        say()
    say(f"Verdict: {result['verdict']['sentence']}")
    say(f"Beyond classical augmentation: {result['verdict_beyond_classical']['sentence']}")
    say(f"Test: {result['test']}; {result['correction']}.")
    folder = Path(result["folder"])
    say(f"More:     {folder / 'augmentation.json'}, {folder / 'augmentation.png'}")
    say(f"Data set: {folder / 'mixed'}, {result['mixed']['ratio']:g} synthetic to 1 real")


def _ratio(row: Mapping[str, Any]) -> str:
    return "" if row["ratio"] is None else f"{row['ratio']:g}"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _between(row: Mapping[str, Any]) -> str:
    return f"{_percent(row['low'])} to {_percent(row['high'])}"
