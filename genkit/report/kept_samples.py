"""Samples that a run has kept while it trained, as parts of a page; their files may be anyone's."""

from __future__ import annotations

import csv
import io
import itertools
import wave
from pathlib import Path

import numpy as np
from markupsafe import Markup
from PIL import Image

from genkit.report.grids import data_uri, picture_part
from genkit.report.players import player
from genkit.report.sections import parts
from genkit.report.texts import texts_of
from genkit.runs.run import Run

_MOST_EDGE = 480
_MOST_BYTES = 4 << 20  # of what is copied into the page as it is
_MOST_LINES, _MOST_LETTERS = 8, 200
_ENDINGS = (".png", ".webp", ".wav", ".txt", ".csv")


def samples_of(run: Run) -> list[Path]:
    """List the samples that a run has kept in training, the earliest first."""
    kept = (file for file in sorted(run.samples.glob("*")) if file.suffix in _ENDINGS)
    return [file for file in kept if file.stem.isdecimal()]


def figure_of(file: Path) -> Markup | None:
    """Show samples with their step; None if they are damaged, which must not hide others."""
    step = f"Step {int(file.stem):,}"
    name = f"Samples at {step.lower()}"
    show = {".png": _picture, ".webp": _clip, ".wav": _sound}.get(file.suffix, _lines)
    try:
        if file.suffix != ".png" and file.stat().st_size > _MOST_BYTES:
            return None
        shown = show(file, name)
    except (OSError, ValueError, EOFError, wave.Error, csv.Error, Image.DecompressionBombError):
        return None
    figure: Markup = parts().figure(shown, step)
    return figure


def _picture(file: Path, name: str) -> Markup:
    with Image.open(file, formats=["PNG"]) as opened:
        picture = opened.convert("L" if opened.mode == "L" else "RGB")
    picture.thumbnail((_MOST_EDGE, _MOST_EDGE), Image.Resampling.LANCZOS)
    return picture_part(picture, name)


def _clip(file: Path, name: str) -> Markup:
    with Image.open(file, formats=["WEBP"]) as opened:
        size, first = opened.size, opened.convert("RGB")
    still = io.BytesIO()
    first.save(still, "PNG")
    uris = data_uri(file.read_bytes(), "image/webp"), data_uri(still.getvalue(), "image/png")
    shown: Markup = parts().clip(*uris, name, *size)
    return shown


def _sound(file: Path, name: str) -> Markup:
    content = file.read_bytes()
    with wave.open(io.BytesIO(content)) as opened:
        if opened.getsampwidth() != 2 or not opened.getframerate():  # noqa: PLR2004 - bytes
            raise ValueError("not what GenKit writes")
        seconds = opened.getnframes() / opened.getframerate()
        loud = np.abs(np.frombuffer(opened.readframes(opened.getnframes()), "<i2") / (1 << 15))
    return player(content, loud, name, seconds)


def _lines(file: Path, name: str) -> Markup:
    text = file.read_bytes().decode(errors="replace")
    if file.suffix == ".csv":
        read = list(itertools.islice(csv.reader(io.StringIO(text)), _MOST_LINES + 1))
        head, *rows = [[cell[:_MOST_LETTERS] for cell in row] for row in read]
        table: Markup = parts().table(head, rows)
        return table
    lines = [item[:_MOST_LETTERS] for item in texts_of(text)[:_MOST_LINES]]
    shown: Markup = parts().texts(lines, name)
    return shown
