"""The verb ``genkit score``; imported when somebody types it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import genkit
from genkit.cli.output import JsonFlag, emit, say
from genkit.errors import UsageError

_SURPRISES = 5


def score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A text file in UTF-8.")],
    backend: Annotated[
        str | None, typer.Option(help="jax, torch or tensorflow; by default the run's own.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="HTML page; RUN/generated/score-FILE.html if not given."),
    ] = None,
    as_json: JsonFlag = False,
) -> int:
    """Say how much a text surprises a model, in nats and bits, and where.

    The page shows the text shaded by surprise; --json has it part by part.

    Examples:
      genkit score runs/mine essay.txt
      genkit score runs/mine essay.txt --out page.html --json
    """
    if out is not None and out.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"Expected --out as an .html file; received {out}.")
    from genkit_language.score import read_text
    from genkit_language.shaded import shaded_page

    text = read_text(file)
    model: Any = genkit.load(run, backend)
    found = model.score(text)
    path = out or run / "generated" / f"score-{file.stem}.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(shaded_page(found, f"{file.name} by {run.name}", found.figures), "utf-8")
    summary = {
        "run": str(run),
        "file": str(file),
        "path": str(path),
        "tokens": found.tokens,
        "characters": found.characters,
        **found.figures,
        "parts": [
            {"text": piece, "nats": nats}
            for piece, nats in zip(found.pieces, found.nats.tolist(), strict=True)
        ],
    }
    emit(summary, as_json, lambda: _show(summary))
    return 0


def _show(summary: dict[str, Any]) -> None:
    say(
        f"{summary['nats_per_character']:.4f} nats a character, "
        f"{summary['bits_per_character']:.4f} bits; perplexity {summary['perplexity']:.2f} a token"
    )
    parts = summary["parts"]
    places = sorted(range(len(parts)), key=lambda place: -parts[place]["nats"])[:_SURPRISES]
    for place in places:
        before = "".join(each["text"] for each in parts[max(0, place - 30) : place])
        say(f"  {parts[place]['nats']:.1f} nats: {parts[place]['text']!r} behind {before[-30:]!r}")
    say(f"The text, shaded: {summary['path']}")
