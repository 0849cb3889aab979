"""The flags of commands that train on several processes."""

from __future__ import annotations

from typing import Annotated

import typer

from genkit.cli import completion

_PANEL = "Several processes"

WorkersOption = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        help="Train on N processes, each with a device of its own and its part of each batch; "
        "the run is that of one process, to rounding.",
        rich_help_panel=_PANEL,
    ),
]
LauncherOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What starts them: local does on this machine; env: torchrun, srun or mpirun started "
        "this one; more: genkit list launchers.",
        autocompletion=completion.launchers,
        rich_help_panel=_PANEL,
    ),
]
