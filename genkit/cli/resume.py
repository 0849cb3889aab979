"""``genkit resume``: go on with a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genkit.cli.output import JsonFlag
from genkit.cli.run import show_result


def resume(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The run directory.")],
    steps: Annotated[
        int | None,
        typer.Option(metavar="MORE", help="Train this many steps more than were done."),
    ] = None,
    backend: Annotated[
        str | None,
        typer.Option(help="jax, torch or tensorflow; by default the one it was begun with."),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Go on with a run from its last checkpoint, as if it had never stopped.

    On the same machine, backend and thread count the result is the same, bit for bit.

    Examples:
      genkit resume runs/dcgan-mnist-20260101-120000
      genkit resume runs/mine --steps 1000
      genkit resume runs/mine --backend torch
    """
    from genkit.workflows import train

    return show_result(train.resume(run, steps, backend=backend), as_json)
