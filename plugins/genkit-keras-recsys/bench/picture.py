"""The picture of the README: ``python -m bench.picture RUN``; a table as an SVG."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from genkit_recsys.recommending import Request
from rich.console import Console
from rich.table import Table

import genkit

HISTORY = "Toy Story (1995),Heat (1995),Fargo (1996)"
OUT = Path(__file__).parents[1] / "recommendations.svg"


def main() -> None:
    """Recommend, and draw what ``genkit recommend`` shows."""
    model: Any = genkit.load(sys.argv[1])
    archive = model.archive
    (found,) = model.recommend([Request(tuple(archive.items_named(HISTORY)))], k=8)
    table = Table(box=None, pad_edge=False)
    for name in ("", "title", "score", "because"):
        table.add_column(name)
    for place, each in enumerate(found, 1):
        because = "; ".join(archive.titles[item] for item in each.because)
        table.add_row(str(place), archive.titles[each.item], f"{each.score:.4f}", because)
    with Path("/dev/null").open("w") as nowhere:
        console = Console(record=True, width=108, file=nowhere)
        console.print(f'$ genkit recommend runs/films --history "{HISTORY}" -k 8', highlight=False)
        console.print(table)
    drawn = console.export_svg(title="genkit recommend")
    # Fonts from the network have no place in a picture: the reader's own will do.
    drawn = re.sub(r"@font-face \{.*?\}\s*", "", drawn, flags=re.DOTALL)
    OUT.write_text(re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE), encoding="utf-8")


if __name__ == "__main__":
    main()
