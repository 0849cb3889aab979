"""The verbs ``genkit project`` and ``genkit styles``; imported when somebody types them."""

from __future__ import annotations

import itertools
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, note, say
from genkit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

_FRAME = 80  # milliseconds

Run = Annotated[Path, typer.Argument(metavar="RUN", help="A run: its name or directory.")]
Backend = Annotated[
    str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
]
Seed = Annotated[int, typer.Option(help="Of the styles by chance: 0 to 2**31 - 1.")]


class Shown(StrEnum):
    """What ``genkit styles`` can draw."""

    TRUNCATION = "truncation"
    MIXING = "mixing"
    WALK = "walk"
    DIRECTIONS = "directions"


def project(  # noqa: PLR0917
    run: Run,
    pictures: Annotated[
        list[Path], typer.Argument(metavar="PICTURE...", help="Square pictures: PNG, JPEG, WebP.")
    ],
    steps: Annotated[int, typer.Option(help="Steps of the search.")] = 500,
    each: Annotated[
        bool,
        typer.Option(
            "--each", help="A style of its own for each layer: nearer to the picture, less a style."
        ),
    ] = False,
    seed: Seed = 0,
    backend: Backend = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder; RUN/generated/projected if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Find the style that draws a picture.

    Writes for each picture a style file, NAME.styles, and one picture, projected.png: a row for
    each, what was asked for, the search on its way, and what was found. How near it came is told as
    the mean squared distance of pixels in [-1, 1].

    Examples:
      genkit project runs/faces me.png
      genkit project runs/faces a.png b.png --each --steps 1000
      genkit generate runs/faces --latent runs/faces/generated/projected/me.styles --n 1
    """
    names = [file.stem for file in pictures]
    if steps < 1 or not 0 <= seed < 2**31 or len(set(names)) < len(names):
        raise UsageError(
            "Expected --steps of at least 1, --seed of 0 to 2**31 - 1, and pictures of different "
            f"names; received {steps}, {seed}, {', '.join(names)}."
        )
    import numpy as np

    from genkit.report.samples import Samples
    from genkit_style.latents import write_styles

    model: Any = genkit.load(run, backend)
    wanted = _read(pictures, model)

    def tell(step: int, error: float) -> None:
        note(f"step {step} of {steps}  mean squared distance {error:.4f}")

    found = model.project(wanted, steps=steps, each=each, seed=seed, tell=tell)
    folder = out or run / "generated" / "projected"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{name}.styles" for name in names]
    for file, styles in zip(files, found.styles, strict=True):
        write_styles(styles, model, file)
    rows = np.concatenate([wanted[None], found.on_the_way]).swapaxes(0, 1)
    picture = _draw(Samples(model), rows, folder / "projected.png")
    summary = {
        "run": str(run),
        "steps": steps,
        "each": each,
        "seed": seed,
        "pictures": [str(file) for file in pictures],
        "files": [str(file) for file in files],
        "mean_squared_distance": [float(error) for error in found.errors],
        "out": str(picture),
    }
    emit(summary, as_json, lambda: _show_projected(summary))
    return 0


def styles(  # noqa: PLR0917
    run: Run,
    what: Annotated[Shown, typer.Argument(help="What to draw.")] = Shown.MIXING,
    n: Annotated[int, typer.Option("--n", "-n", help="How many pictures, each way.")] = 6,
    steps: Annotated[
        int,
        typer.Option(help="Pictures of a way: of walk from one style to the next, of directions."),
    ] = 7,
    strength: Annotated[float, typer.Option(help="Of directions: how far to move.")] = 3.0,
    seed: Seed = 0,
    backend: Backend = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file; RUN/generated/WHAT.png if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Draw what a model's styles are.

    truncation: a row a picture, from beyond the mean style to past the picture's own.
    mixing: the styles of the first half of the layers from the picture at the left, those of the
    second half from the picture above.
    walk: a row a picture, on its way to the next; beside it a moving WebP file.
    directions: a row a picture, moved along the directions that change pictures most; a file each.
    What these show is the model at a truncation of 0.7, the mean style at 0.

    Examples:
      genkit styles runs/faces
      genkit styles runs/faces truncation --n 8
      genkit styles runs/faces walk --steps 24
      genkit styles runs/faces directions --n 4
      genkit generate runs/faces --direction 2 --strength 1.5
    """
    if n < 1 or steps < 2 or not 0 <= seed < 2**31:  # noqa: PLR2004
        raise UsageError(
            f"Expected --n of 1 or more, --steps of 2 or more, --seed of 0 to 2**31 - 1; received "
            f"{n}, {steps}, {seed}."
        )
    from genkit.report.samples import Samples

    model: Any = genkit.load(run, backend)
    file = out or run / "generated" / f"{what}.png"
    if file.suffix.lower() != ".png":
        raise UsageError(f"Expected --out as a .png file; received {file}.")
    file.parent.mkdir(parents=True, exist_ok=True)
    writer = Samples(model)
    found = model.styles(what, n, seed, steps=steps, strength=strength)
    if what is Shown.DIRECTIONS:
        named = [(rows, f"{file.stem}-{number}") for number, rows in enumerate(found, start=1)]
        files = [_draw(writer, rows, file.with_stem(name)) for rows, name in named]
    else:
        files = [_draw(writer, found, file)]
    if what is Shown.WALK:
        files.append(_animate(writer, found, file.with_suffix(".webp")))
    summary = {
        "run": str(run),
        "what": str(what),
        "n": n,
        "seed": seed,
        "files": [str(each) for each in files],
    }
    emit(summary, as_json, lambda: say(f"{what}: {', '.join(summary['files'])}"))
    return 0


def _read(files: list[Path], model: Any) -> np.ndarray:
    """Return the pictures of files as the model's data has them; tell which were resized."""
    import numpy as np

    from genkit_style.picture_files import read_picture

    read = [read_picture(file, model) for file in files]
    for file, (_, size) in zip(files, read, strict=True):
        if size != (model.side, model.side):
            note(f"{file}: resized from {size[0]}x{size[1]} to {model.side}x{model.side}.")
    return np.stack([picture for picture, _ in read])


def _draw(writer: Any, rows: np.ndarray, file: Path) -> Path:
    """Draw pictures ``(rows, columns, ...)``, reviewed as all that is written."""
    return writer.draw(rows.reshape(-1, *rows.shape[2:]), file, columns=rows.shape[1])


def _animate(writer: Any, rows: np.ndarray, file: Path) -> Path:
    """Write the pictures of rows one after another as a moving WebP without loss."""
    frames = rows.reshape(-1, *rows.shape[2:])
    (batch,) = writer.reviewed([frames], itertools.repeat(""))
    first, *others = writer.renderer.pictures(batch.kept()[writer.field])
    partial = file.with_name(f".{file.name}")
    first.save(
        partial,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=_FRAME,
        loop=0,
        lossless=True,
    )
    partial.replace(file)
    return file


def _show_projected(summary: dict[str, Any]) -> None:
    for file, distance in zip(summary["files"], summary["mean_squared_distance"], strict=True):
        say(f"{file}: mean squared distance {distance:.4f}, pixels in [-1, 1]")
    say(f"The search: {summary['out']}")
