"""``genkit reconstruct``: compare items with what their latents keep of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genkit.cli import items as shared
from genkit.cli.output import JsonFlag, emit, say
from genkit.cli.run_argument import RunArgument


def reconstruct(  # noqa: PLR0917
    run: RunArgument,
    n: Annotated[int, typer.Option("--n", "-n", help="How many.")] = 10,
    data: shared.DataOption = None,
    backend: shared.BackendOption = None,
    checkpoint: shared.CheckpointOption = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file; RUN/generated/reconstructed.png if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Draw items of the run's data above their reconstructions.

    Without a test split the items are among those it was trained on.

    Examples:
      genkit reconstruct runs/mine
      genkit reconstruct runs/mine --n 20 --data split=train
    """
    model, items = shared.load_with_items(run, "reconstruct", n, data, (backend, checkpoint))
    import numpy as np

    from genkit.report.samples import Samples

    originals = shared.encoded_of(model, items).astype("float32")
    again = model.reconstruct(originals, **shared.label_of(model, items))
    file = shared.writable(run, out, "reconstructed.png")
    assert model.schema is not None, "a loaded model knows its data"
    span = model.schema[model.generated_field()].span
    error = float(np.mean(np.square((again - originals) / span)))
    Samples(model).draw(np.concatenate([originals, again]), file, columns=n)
    result = {"run": str(run), "n": n, "mean_squared_error": error, "out": str(file)}
    emit(result, as_json, lambda: say(f"{file}: mean squared error {error:.4f}, pixels in [0, 1]"))
    return 0
