"""``genkit new``: something to start from."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from genkit.cli import completion
from genkit.cli.output import JsonFlag, emit, say

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)


@app.callback()
def new() -> None:
    """Begin something of your own: a plugin that works, to change."""


@app.command("plugin")
def plugin(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="What it is called: lower case, digits and hyphens. The distribution is "
            "genkit-keras-NAME, the package genkit_NAME.",
        ),
    ],
    kind: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="What it brings: generator (a model that generates images), recommender (a model "
            "with a verb of its own), dataset, trainer or metric.",
            autocompletion=completion.plugin_kinds,
        ),
    ],
    folder: Annotated[Path, typer.Option(help="Where its folder is made.")] = Path(),
    as_json: JsonFlag = False,
) -> int:
    """Write a plugin that works: package, tests, README, noxfile and CI.

    It is a distribution to install, and a small example of its kind, to be changed bit by bit into
    what you want; its tests run GenKit's own checks. A folder that is there is left alone.

    Examples:
      genkit new plugin doodles --kind generator
      genkit new plugin sharpness --kind metric --folder plugins
    """
    from genkit.cli.scaffold import write_plugin

    written = write_plugin(name, kind, folder)
    commands = [f"cd {shlex.quote(str(written.path))}", "pip install -e '.[test]'", "pytest"]
    result = {
        "name": written.name,
        "kind": written.kind,
        "distribution": written.distribution,
        "package": written.package,
        "path": str(written.path),
        "files": list(written.files),
        "next": commands,
    }

    def show() -> None:
        say(f"{written.path}: {len(written.files)} files; README.md tells what is where.")
        say("\n".join(["Next:", *(f"  {command}" for command in commands)]))

    emit(result, as_json, show)
    return 0
