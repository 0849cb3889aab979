"""The verb ``genkit search``; imported when somebody types it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say, table
from genkit.errors import UsageError
from genkit_text2image.out_file import png_file

_MOST = 100_000  # pictures that are looked through, in memory

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run of clip: its name or directory.")]
Backend = Annotated[
    str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
]


def search(  # noqa: PLR0917
    run: Run,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What is looked for.")],
    n: Annotated[int, typer.Option("--n", "-n", help="How many pictures.")] = 12,
    dataset: Annotated[
        str | None,
        typer.Option(help="Look through other captioned pictures than the run's own."),
    ] = None,
    path: Annotated[
        Path | None, typer.Option(help="Of --dataset captioned-folder, the folder.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="Which pictures: train, those held out, test, or all.")
    ] = "all",
    backend: Backend = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file; RUN/search/TEXT.png if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Find the pictures that are nearest to some words.

    Writes the nearest ones as one picture, nearest first, and lists their captions. Without
    --dataset the run's own data is looked through. A word that no caption has is told, and left
    out.

    Examples:
      genkit search runs/judge "red heart"
      genkit search runs/judge "blue potion" --dataset captioned-folder --path tiles
    """
    if n < 1:
        raise UsageError(f"Expected --n of 1 or more; received {n}.")
    name = "-".join("".join(c if c.isalnum() else " " for c in text).split())[:60] or "found"
    file = png_file(out, run / "search" / f"{name}.png")
    import numpy as np

    from genkit.report.samples import Samples
    from genkit_text2image.opening import open_captioned, open_of_run

    model: Any = genkit.load(run, backend)
    source = open_captioned(dataset, path, split) if dataset else open_of_run(run, split)
    if len(source) > _MOST:
        raise UsageError(f"Expected at most {_MOST} pictures; received {len(source)}.")
    pictures = source.gather(np.arange(len(source)))["image"]
    rows, nearness = model.search(text, pictures, n)
    file.parent.mkdir(parents=True, exist_ok=True)
    Samples(model).draw(pictures[rows].astype("float32"), file)
    found = [
        {"row": int(row), "caption": source.texts[row], "cosine": round(float(cosine), 4)}
        for row, cosine in zip(rows, nearness, strict=True)
    ]
    summary = {"run": str(run), "text": text, "found": found, "out": str(file)}
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _show(summary: dict[str, Any]) -> None:
    rows = [[f"{each['cosine']:.3f}", each["caption"]] for each in summary["found"]]
    table(summary["text"], ["cosine", "caption"], rows)
    say(summary["out"])
