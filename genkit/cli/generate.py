"""``genkit generate``: make items with a trained model."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genkit.cli.output import JsonFlag, emit, say
from genkit.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from genkit.specs import Schema

FORMATS = ("png", "npz", "grid")


def generate(  # noqa: PLR0917
    run: Annotated[
        Path, typer.Argument(metavar="RUN", help="A run directory, or an exported model folder.")
    ],
    n: Annotated[int, typer.Option("--n", "-n", help="How many.")] = 64,
    seed: Annotated[
        int, typer.Option(help="Sample i depends only on (seed, i): --n 10 begins --n 100.")
    ] = 0,
    backend: Annotated[
        str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
    ] = None,
    checkpoint: Annotated[
        str | None,
        typer.Option(
            metavar="STEP|best",
            help="The step of a checkpoint the run has kept, or best; by default the newest.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; RUN/generated if not given.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="png: one file each; grid: one picture of all; npz: the array 'samples' in the "
            "data set's own range. By default png for images, npz for other data.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Generate items with a trained model.

    A model trained on one backend generates on any other.

    Examples:
      genkit generate runs/mine --n 16 --format grid
      genkit generate runs/mine --n 10000 --seed 1 --format npz --out augmented
    """
    if format_ not in (None, *FORMATS):
        raise UsageError(f"Expected --format {', '.join(FORMATS)}; received {format_!r}.")
    if n < 1 or not 0 <= seed < 2**31:
        raise UsageError(
            f"Expected --n of at least 1 and --seed of 0 to 2**31 - 1; received {n} and {seed}."
        )
    from genkit import api
    from genkit.backend import active_backend
    from genkit.report.images import can_draw

    model = api.load(run, backend, checkpoint)
    if "generate" not in model.capabilities:
        raise UsageError(f"The model of {run} can {', '.join(model.capabilities)}; not generate.")
    assert model.schema is not None, "a loaded model knows its data"
    drawable = can_draw(model.schema)
    format_ = format_ or ("png" if drawable else "npz")
    if format_ != "npz" and not drawable:
        raise UsageError("Only images can be drawn.", "Use --format npz.")
    folder = out or run / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    files = _write(model.generate_batches(n, seed=seed), n, model.schema, folder, format_)
    told = {
        "run": str(run),
        "n": n,
        "seed": seed,
        "backend": active_backend(),
        "format": format_,
        "out": str(folder),
        "files": [str(file) for file in files],
    }
    emit(told, as_json, lambda: say(f"{n} samples: {files[0] if len(files) == 1 else folder}"))
    return 0


def _write(
    batches: Iterator[np.ndarray], n: int, schema: Schema, folder: Path, format_: str
) -> list[Path]:
    import numpy as np

    from genkit.report import images

    if format_ == "npz":
        return [_write_npz(batches, n, folder / "samples.npz")]
    if format_ == "grid":
        images.save_grid(folder / "grid.png", np.concatenate(list(batches)), schema)
        return [folder / "grid.png"]
    files: list[Path] = []
    for batch in batches:
        for picture in images.to_pictures(batch, schema):
            files.append(folder / f"{len(files):05d}.png")
            images.save_png(picture, files[-1])
    return files


def _write_npz(batches: Iterator[np.ndarray], n: int, file: Path) -> Path:
    """Write the array 'samples' as it comes, so that memory doesn't grow with it."""
    import zipfile

    import numpy as np

    partial = file.with_name(f".{file.name}.partial")
    try:
        with (
            zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive,
            archive.open("samples.npy", "w", force_zip64=True) as entry,
        ):
            first = np.ascontiguousarray(next(batches))
            header = np.lib.format.header_data_from_array_1_0(first)
            header["shape"] = (n, *first.shape[1:])
            np.lib.format.write_array_header_1_0(entry, header)
            for batch in itertools.chain([first], batches):
                entry.write(np.ascontiguousarray(batch).tobytes())
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return file
