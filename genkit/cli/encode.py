"""``genkit encode``: the latents of a data set."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Annotated

import typer

from genkit.cli import items as shared
from genkit.cli.output import JsonFlag, emit, say
from genkit.cli.run_argument import RunArgument


def encode(  # noqa: PLR0917
    run: RunArgument,
    n: Annotated[
        int | None, typer.Option("--n", "-n", help="How many items; all if not given.")
    ] = None,
    data: shared.DataOption = None,
    backend: shared.BackendOption = None,
    checkpoint: shared.CheckpointOption = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write; RUN/generated/latents.npz if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Write the latents of the run's data: the array 'latent', and 'label' where there are labels.

    Examples:
      genkit encode runs/mine --data split=train --out features.npz
    """
    model, items = shared.load_with_items(run, "encode", n, data, (backend, checkpoint))
    import numpy as np

    from genkit.files import write_bytes

    file = shared.writable(run, out, "latents.npz")
    latent = model.encode(shared.encoded_of(model, items), **shared.label_of(model, items))
    labels = {"label": items["label"]} if "label" in items else {}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, latent=latent, **labels)
    write_bytes(file, buffer.getvalue())
    result = {"run": str(run), "shape": list(latent.shape), "out": str(file)}
    shape = " x ".join(map(str, latent.shape))
    emit(result, as_json, lambda: say(f"{file}: {shape}"))
    return 0
