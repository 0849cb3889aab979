"""The verb; imported when somebody types it."""

import csv
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import genkit
import typer
from genkit.cli.output import JsonFlag, emit, table


def recommend(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    history: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="What somebody liked, by title or number, between commas; quote a title that has "
            "one. Without it, the popular is recommended.",
        ),
    ] = "",
    k: Annotated[int, typer.Option("-k", help="How many.")] = 10,
    as_json: JsonFlag = False,
) -> int:
    """Recommend items to somebody who liked others.

    Examples:
      genkit recommend runs/mine --history "Moby-Dick,Lord Jim" -k 3
    """
    liked = next(csv.reader([history], skipinitialspace=True), [])
    model = genkit.load(run)
    items = [asdict(each) for each in model.recommend([x.strip() for x in liked], k)]

    def show() -> None:
        rows = [[i["title"], f"{i['score']:.3f}", i["because"], str(i["id"])] for i in items]
        table("", ["title", "score", "because", "id"], rows)

    emit({"run": str(run), "history": liked, "items": items}, as_json, show)
    return 0
