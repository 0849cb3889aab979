"""``genkit generate``: make items with a trained model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genkit.cli import conditions, run_completion
from genkit.cli import items as shared
from genkit.cli.output import JsonFlag, emit, note, say
from genkit.cli.prompts import COLUMN, PromptsOption, cut_to_fit, read_prompts
from genkit.cli.run_argument import ModelArgument
from genkit.cli.writing import PIPE, printed_alone, target_of, write
from genkit.errors import UsageError

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.report.refilling import Request
    from genkit.report.reviewed import Reviewed
    from genkit.report.samples import Samples


def generate(  # noqa: PLR0917
    context: typer.Context,
    run: ModelArgument,
    n: Annotated[
        int | None,
        typer.Option(
            "--n",
            "-n",
            help="How many: 64, or one a line of --given, or one of each prompt of --prompts.",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Sample i depends only on (seed, i): --n 10 begins --n 100.")
    ] = 0,
    backend: shared.BackendOption = None,
    checkpoint: shared.CheckpointOption = None,
    label: Annotated[
        str | None,
        typer.Option(
            metavar="7|0:9|cat,dog",
            help="For a conditional model: the classes to generate, --n of each, by number, by "
            "name or as a range with both ends. By default the classes take turns.",
            autocompletion=run_completion.labels,
        ),
    ] = None,
    prompt: conditions.PromptOption = None,
    prompts: PromptsOption = None,
    where: conditions.WhereOption = None,
    given: conditions.GivenOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER|FILE|-",
            help="Where to: a folder; a file whose ending is a format that holds all items; or - "
            "for stdout. If not given, what can be read in a terminal is printed there, one text "
            "as it is made by a model that goes step by step, and the rest goes to RUN/generated.",
        ),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="png or webp for images, wav for sound, webp for clips: one file each. txt for "
            "text; csv, jsonl and parquet for tables and text: one file of all. grid: one picture "
            "of all, with --label a row a class; npz: the array 'samples' in the data set's own "
            "range, with --label also 'label'. By default the first that the items have.",
            autocompletion=run_completion.formats,
        ),
    ] = None,
    refill: Annotated[
        bool,
        typer.Option(
            "--refill", help="Put other items in the places of those that a reviewer refuses."
        ),
    ] = False,
    workers: shared.WorkersOption = 1,
    as_json: JsonFlag = False,
) -> int:
    """Generate items with a trained model.

    A model trained on one backend generates on any other. Flags of the model's own are shown by
    genkit generate RUN --help. What an installed reviewer refuses is counted, and not written;
    others take its place with --refill. Any number of items is written in the memory of a batch.

    Examples:
      genkit generate runs/mine --n 16 --format grid
      genkit generate runs/mine --n 10000 --seed 1 --format npz --out augmented
      genkit generate runs/mine --label 0:9 --n 10 --format grid
      genkit generate runs/people --where 'income=>50K' --n 1000000 --out people.parquet --workers 4
      genkit generate runs/story --prompt Once --n 1
      genkit generate runs/story --prompts beginnings.txt --n 3 --out stories.jsonl
    """
    if given is not None and (n is not None or label is not None):
        raise UsageError(
            "Expected --given without --n and --label: it has a line an item, and may have a "
            "column label."
        )
    values, lines = conditions.read(prompt, where, given)
    if prompts is not None and (lines or label is not None or COLUMN in values):
        raise UsageError("Expected --prompts without --prompt, --given and --label.")
    listed = [] if prompts is None else read_prompts(prompts)
    n = lines or ((1 if listed else 64) if n is None else n)
    if n < 1 or not 0 <= seed < 2**31:
        raise UsageError(
            f"Expected --n of at least 1 and --seed of 0 to 2**31 - 1; received {n} and {seed}."
        )
    from genkit.files import check_path
    from genkit.plan.activation import active_backend
    from genkit.report.refilling import Request
    from genkit.report.samples import Samples
    from genkit.runs.loading import load
    from genkit.runs.model_workers import workers_for

    if out is not None and out != PIPE:
        check_path(out)
    model = load(run, backend, checkpoint)
    writer = Samples(model)
    labels = [] if label is None else parse_labels(label, model)
    asked: list[int | None] = [*labels] or [None]
    cut = 0
    if listed:
        found, cut = cut_to_fit(model, listed)
        values[COLUMN] = [each for each in found for _ in range(n)]
        n *= len(listed)
    total = n * len(asked)
    target = target_of(writer, format_, out, run / "generated", total, as_json=as_json)
    if cut:
        note(f"{cut} of {len(listed)} prompts are longer than the model takes: cut from the left.")
    files: list[Path] = []
    with workers_for(run, model, workers) as several:
        requests = [Request(model, n, seed, each, values, context.obj, several) for each in asked]
        made = [request.items() for request in requests]  # what is wrong with one is told at once
        reviewed = itertools.chain.from_iterable(
            _reviewed(writer, request, batches, refill=refill)
            for request, batches in zip(requests, made, strict=True)
        )
        alone = total == 1 and out is None
        if not (alone and printed_alone(writer, target, requests[0], reviewed)):
            files = write(writer, reviewed, target, None if label is None else n)
    result = {
        "run": str(run),
        "n": total,
        "seed": seed,
        "label": labels or None,
        "classes": [model.classes()[each] for each in labels] or None,
        "given": {name: value for name, value in values.items() if isinstance(value, str)} or None,
        "given_from": next((str(each) for each in (given, prompts) if each is not None), None),
        "prompts_cut": cut,
        "options": context.obj,
        "backend": active_backend(),
        "format": target.format_,
        "refused": writer.review.told(),
        "refilled": refill,
        "out": str(target.path),
        "files": [str(file) for file in files],
    }
    emit(result, as_json, lambda: _show(result))
    return 0


def _reviewed(
    writer: Samples, request: Request, batches: Iterator[dict[str, Any]], *, refill: bool
) -> Iterator[Reviewed]:
    from genkit.report.refilling import Refilling

    label = request.label
    found = writer.reviewed(batches, _names(label), label)
    return Refilling(writer.review, request).all_of(found) if refill else found


def _show(result: dict[str, Any]) -> None:
    files = result["files"]
    refused, replaced = result["refused"], result["refilled"]
    count = result["n"] - (0 if replaced else refused["n"])
    if files:
        say(f"{count} samples: {files[0] if len(files) == 1 else result['out']}")
    pairs = zip(result["label"] or (), result["classes"] or (), strict=True)
    if named := [f"{name} (label {number})" for number, name in pairs if name != str(number)]:
        say(f"Classes: {', '.join(named)}")
    for reason, count in refused["reasons"].items():
        of = f"{result['n'] + refused['n'] if replaced else result['n']}"
        say(f"Refused {count} of {of}{', and replaced' if replaced else ''}: {reason}")


def parse_labels(text: str, model: Model) -> list[int]:
    """Read ``--label``: classes between commas, by name or number, and ranges with both ends.

    A word means the same class alone, in a list and as the end of a range: see
    ``Model.class_number``. A class that is named twice is given once.

    Raises:
        UsageError: the model takes no label, or knows no such class.
    """
    if model.conditional and text in model.classes():
        return [model.class_number(text)]
    numbers: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        first, colon, last = part.partition(":")
        if colon and first.isdecimal() and last.isdecimal() and part not in model.classes():
            numbers += _range(first, last, model)
        else:
            numbers.append(model.class_number(part))
    return list(dict.fromkeys(numbers))


def _range(first: str, last: str, model: Model) -> list[int]:
    """Return the classes from one to another: in the order of their names, if those are numbers."""
    ends = model.class_number(first), model.class_number(last)
    classes = model.classes()
    if first in classes and last in classes:
        places = {int(name): number for number, name in enumerate(classes) if name.isdecimal()}
        found = [places[value] for value in sorted(places) if int(first) <= value <= int(last)]
    else:
        found = list(range(ends[0], ends[1] + 1))
    if not found:
        raise UsageError(f"Expected a range of classes that rises; received {first}:{last}.")
    return found


def _names(label: int | None) -> Iterator[str]:
    prefix = "" if label is None else f"label-{label}-"
    return (f"{prefix}{index:05d}" for index in itertools.count())
