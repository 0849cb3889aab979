"""The verb; imported when somebody types it."""

from pathlib import Path
from typing import Annotated

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say


def transcribe(
    context: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    n: Annotated[int, typer.Option("--n", help="How many signals.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the signals.")] = 0,
    as_json: JsonFlag = False,
) -> int:
    """Generate signals and write down what they say.

    Examples:
      genkit transcribe runs/mine --n 10
    """
    model = genkit.load(run)
    texts = model.transcribe(model.generate(n, seed), **context.obj)
    emit({"run": str(run), "texts": texts}, as_json, lambda: say("\n".join(texts)))
    return 0
