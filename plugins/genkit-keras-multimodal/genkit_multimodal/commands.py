"""The verb ``genkit translate``; imported when somebody types it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say
from genkit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np


def translate(  # noqa: PLR0917
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run: its name or directory.")],
    from_: Annotated[
        list[str],
        typer.Option(
            "--from",
            metavar="FIELD[=ITEM]",
            help="What is given: image=digit.png, audio=seven.wav, label=7, numbers between commas "
            "or an .npy file; without an item the first of the run's test data. Repeatable: of "
            "several fields, one item of each.",
        ),
    ],
    to: Annotated[
        str, typer.Option(metavar="FIELD,...", help="What to make; all that isn't given.")
    ] = "",
    until: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FIELD[=ITEM]",
            help="Walk from what is given to this, which may be of another field, in --n steps.",
        ),
    ] = None,
    n: Annotated[int, typer.Option("--n", "-n", help="How many answers, or steps.")] = 8,
    items: Annotated[
        int, typer.Option(help="How many items of the test data, where no item is given.")
    ] = 8,
    seed: Annotated[int, typer.Option(help="Of the answers: 0 to 2**31 - 1.")] = 0,
    backend: Annotated[
        str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; RUN/generated/translated if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Make fields of an item from other fields of it.

    Writes the answers as genkit generate does, a row each, with pictures and sounds beside; and
    translated.png, a row an item: what is given, then the answers. With --until the way from one
    item to another is decoded, all fields of it.

    Examples:
      genkit translate runs/mine --from image=digit.png --to audio
      genkit translate runs/mine --from audio --to image,label
      genkit translate runs/mine --from image=3.png --until audio=eight.wav --n 10
    """
    if n < 1 or items < 1 or not 0 <= seed < 2**31:
        raise UsageError(
            "Expected --n and --items of at least 1, --seed of 0 to 2**31 - 1; received "
            f"{n}, {items}, {seed}."
        )
    from genkit.report.samples import Samples
    from genkit_multimodal.sheet import draw_sheet

    model: Any = genkit.load(run, backend)
    given = _read(model, run, from_, items)
    if until:
        if to:
            raise UsageError("Expected --until without --to: all fields are decoded.")
        made = model.between(given, _read(model, run, until, items), n, seed)
    else:
        made = model.translate(given, [name.strip() for name in to.split(",") if to], n, seed)
    model.output_fields = tuple(made)  # what is reviewed and written here
    writer = Samples(model)
    count = len(next(iter(made.values())))
    names = (f"{item:05d}-{answer:02d}" for item in range(count) for answer in range(n))
    flat = {name: array.reshape(-1, *array.shape[2:]) for name, array in made.items()}
    (reviewed,) = writer.reviewed([flat], names)
    folder = out or run / "generated" / "translated"
    folder.mkdir(parents=True, exist_ok=True)
    files = writer.write([reviewed], writer.formats()[0], folder)
    allowed = reviewed.allowed.reshape(count, n)
    sheet = draw_sheet(writer.schema, given, made, allowed, folder / "translated.png")
    summary = {
        "run": str(run),
        "given": list(given),
        "made": list(made),
        "items": count,
        "n": n,
        "seed": seed,
        "classes": _classes(model.schema, made, allowed),
        "refused": writer.review.told(),
        "files": [str(file) for file in files],
        "sheet": str(sheet) if sheet else None,
        "out": str(folder),
    }
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _read(model: Any, run: Path, asked: list[str], items: int) -> dict[str, np.ndarray]:
    """Return what is given by field: items that are named, or the first of the test data."""
    import numpy as np

    from genkit_multimodal.reading import read_item

    texts = dict(each.split("=", 1) if "=" in each else (each, "") for each in asked)
    for name in texts:
        if name not in model.modalities:
            raise UsageError(
                f"Expected a field of the model, {', '.join(model.modalities)}; received {name!r}."
            )
    if len({bool(text) for text in texts.values()}) > 1 or len(texts) < len(asked):
        raise UsageError("Expected an item of each field that is given, or of none; and each once.")
    if all(texts.values()):
        return {
            name: read_item(name, model.schema[name], text)[None] for name, text in texts.items()
        }
    source = genkit.open_data(run, unseen=True)
    batch = source.gather(np.arange(min(items, len(source))))
    return {name: batch[name] for name in texts}


def _classes(
    schema: genkit.Schema, made: dict[str, np.ndarray], allowed: np.ndarray
) -> dict[str, list[list[str]]]:
    """Return the names of the classes made by field: a list an item, without what was refused."""
    return {
        name: [
            [schema[name].classes[int(each)] for each in row[kept]]
            for row, kept in zip(array, allowed, strict=True)
        ]
        for name, array in made.items()
        if schema[name].classes
    }


def _show(summary: dict[str, Any]) -> None:
    many = f"{summary['items']} x {summary['n']}" if summary["items"] > 1 else str(summary["n"])
    say(f"{many} of {', '.join(summary['made'])}: {summary['out']}")
    for name, rows in summary["classes"].items():
        for number, row in enumerate(rows):
            place = f" {number}" if len(rows) > 1 else ""
            say(f"{name}{place}: {' '.join(row)}")
    for reason, count in summary["refused"]["reasons"].items():
        say(f"Refused {count}: {reason}")
