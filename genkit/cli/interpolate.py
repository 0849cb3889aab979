"""``genkit interpolate``: walk from one item to another through the latents between them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genkit.cli import items as shared
from genkit.cli.output import JsonFlag, emit, say
from genkit.cli.run_argument import RunArgument


def interpolate(  # noqa: PLR0917
    run: RunArgument,
    n: Annotated[int, typer.Option("--n", "-n", help="How many pairs.")] = 5,
    steps: Annotated[int, typer.Option(help="Pictures a pair, both ends included.")] = 10,
    data: shared.DataOption = None,
    backend: shared.BackendOption = None,
    checkpoint: shared.CheckpointOption = None,
    out: Annotated[
        Path | None, typer.Option(help="PNG file; RUN/generated/interpolated.png if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Draw the way from items of the run's data to others, a row a pair.

    A conditional model keeps the label of the first of each pair.

    Examples:
      genkit interpolate runs/mine --n 8 --steps 12
    """
    model, items = shared.load_with_items(run, "interpolate", 2 * n, data, (backend, checkpoint))
    from genkit.report.samples import Samples

    ends = shared.encoded_of(model, items)
    label = {name: values[:n] for name, values in shared.label_of(model, items).items()}
    walks = model.interpolate(ends[:n], ends[n:], steps, **label)
    file = shared.writable(run, out, "interpolated.png")
    Samples(model).draw(walks.reshape(-1, *walks.shape[2:]), file, columns=steps)
    result = {"run": str(run), "n": n, "steps": steps, "out": str(file)}
    emit(result, as_json, lambda: say(f"{n} walks of {steps} steps: {file}"))
    return 0
