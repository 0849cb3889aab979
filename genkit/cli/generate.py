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

    from genkit.model import Model
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
    label: Annotated[
        str | None,
        typer.Option(
            metavar="7|0:9|cat,dog",
            help="For a conditional model: the classes to generate, --n of each, by number, by "
            "name or as a range with both ends. By default the classes take turns.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write to; RUN/generated if not given.")
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="png: one file each; grid: one picture of all, with --label a row a class; npz: "
            "the array 'samples' in the data set's own range, with --label also 'label'. By "
            "default png for images, npz for other data.",
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Generate items with a trained model.

    A model trained on one backend generates on any other.

    Examples:
      genkit generate runs/mine --n 16 --format grid
      genkit generate runs/mine --n 10000 --seed 1 --format npz --out augmented
      genkit generate runs/mine --label 0:9 --n 10 --format grid
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
    labels: list[int | None] = [None] if label is None else [*parse_labels(label, model)]
    folder = out or run / "generated"
    folder.mkdir(parents=True, exist_ok=True)
    batches = itertools.chain.from_iterable(
        model.generate_batches(n, seed, each) for each in labels
    )
    total = n * len(labels)
    if format_ == "grid":
        columns = None if label is None else n
        files = [_write_grid(batches, model.schema, folder / "grid.png", columns)]
    elif format_ == "npz":
        each_label = [one for one in labels if one is not None for _ in range(n)]
        files = [_write_npz(batches, total, folder / "samples.npz", each_label)]
    else:
        files = _write_pngs(batches, model.schema, folder, _names(n, labels))
    told = {
        "run": str(run),
        "n": total,
        "seed": seed,
        "label": None if label is None else labels,
        "backend": active_backend(),
        "format": format_,
        "out": str(folder),
        "files": [str(file) for file in files],
    }
    emit(told, as_json, lambda: say(f"{total} samples: {files[0] if len(files) == 1 else folder}"))
    return 0


def parse_labels(text: str, model: Model) -> list[int]:
    """Read ``--label``: class numbers or names between commas, and ranges with both ends.

    Raises:
        UsageError: the model takes no label, or knows no such class.
    """
    if model.conditional and text in model.classes():
        return [model.class_number(text)]
    numbers: list[int] = []
    for part in (part.strip() for part in text.split(",")):
        first, colon, last = part.partition(":")
        if colon and first.isdecimal() and last.isdecimal():
            ends = model.class_number(int(first)), model.class_number(int(last))
            numbers += range(ends[0], ends[1] + 1)
        else:
            numbers.append(model.class_number(int(part) if part.isdecimal() else part))
    if not numbers:
        raise UsageError(f"Expected a range of classes that rises; received --label {text}.")
    return numbers


def _names(n: int, labels: list[int | None]) -> Iterator[str]:
    for label in labels:
        prefix = "" if label is None else f"label-{label}-"
        yield from (f"{prefix}{index:05d}.png" for index in range(n))


def _write_pngs(
    batches: Iterator[np.ndarray], schema: Schema, folder: Path, names: Iterator[str]
) -> list[Path]:
    from genkit.report import images

    pictures = (picture for batch in batches for picture in images.to_pictures(batch, schema))
    files: list[Path] = []
    for picture in pictures:
        files.append(folder / next(names))
        images.save_png(picture, files[-1])
    return files


def _write_grid(
    batches: Iterator[np.ndarray], schema: Schema, file: Path, columns: int | None
) -> Path:
    import numpy as np

    from genkit.report import images

    images.save_grid(file, np.concatenate(list(batches)), schema, columns)
    return file


def _write_npz(batches: Iterator[np.ndarray], total: int, file: Path, label: list[int]) -> Path:
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
            header["shape"] = (total, *first.shape[1:])
            np.lib.format.write_array_header_1_0(entry, header)
            for batch in itertools.chain([first], batches):
                entry.write(np.ascontiguousarray(batch).tobytes())
        if label:
            _add_array(partial, "label", np.array(label, np.int32))
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return file


def _add_array(archive: Path, name: str, array: np.ndarray) -> None:
    import zipfile

    import numpy as np

    with (
        zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as opened,
        opened.open(f"{name}.npy", "w") as entry,
    ):
        np.lib.format.write_array(entry, array, allow_pickle=False)
