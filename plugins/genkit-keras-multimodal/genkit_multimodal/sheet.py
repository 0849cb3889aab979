"""A picture of what was given and what was made of it, a row an item."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import genkit
from genkit_multimodal.spectrogram_renderer import picture_of

_CELL, _GAP = 64, 2
_MOST_ROWS = 32
_GROUND, _INK = "white", "black"


def draw_sheet(
    schema: genkit.Schema,
    given: Mapping[str, np.ndarray],
    made: Mapping[str, np.ndarray],
    allowed: np.ndarray,
    file: Path,
) -> Path | None:
    """Draw the first items: what is given at the left, then each field that was made.

    Args:
        schema: what the fields are.
        given: by field, ``(items, ...)``.
        made: by field, ``(items, n, ...)``.
        allowed: which may be shown, bool ``(items, n)``; the place of others stays blank.
        file: where to, a PNG file.

    Returns:
        the file; None where nothing of what was made can be drawn.
    """
    shown = [name for name in made if _can_draw(schema[name])]
    if all(schema[name].classes for name in shown):
        return None
    rows = []
    for row in range(min(len(allowed), _MOST_ROWS)):
        cells = [
            _cell(schema[name], items[row])
            for name, items in given.items()
            if _can_draw(schema[name])
        ]
        for name in shown:
            cells += [
                _cell(schema[name], item) if fit else None
                for item, fit in zip(made[name][row], allowed[row], strict=True)
            ]
        rows.append(cells)
    step = _CELL + _GAP
    sheet = Image.new("RGB", (step * len(rows[0]) - _GAP, step * len(rows) - _GAP), _GROUND)
    for y, cells in enumerate(rows):
        for x, cell in enumerate(cells):
            if cell is not None:
                sheet.paste(cell, (x * step, y * step))
    partial = file.with_name(f".{file.name}")
    sheet.save(partial, "PNG")
    return partial.replace(file)


def _can_draw(field: genkit.Field) -> bool:
    pictures = len(field.shape) == 3 and field.shape[-1] in (1, 3) and field.range is not None  # noqa: PLR2004
    return pictures or bool(field.classes)


def _cell(field: genkit.Field, item: np.ndarray) -> Image.Image:
    """Draw an item as a square picture: a class as its name."""
    if field.classes:
        cell = Image.new("RGB", (_CELL, _CELL), _GROUND)
        name = field.classes[int(item)]
        size = max(8, min(_CELL // 2, 2 * _CELL // len(name)))
        ImageDraw.Draw(cell).text((_CELL / 2, _CELL / 2), name, _INK, anchor="mm", font_size=size)
        return cell
    if field.modality == "spectrogram":
        picture = picture_of(np.asarray(item))
    else:
        low, high = field.range or (0, 1)
        pixels = np.clip((np.asarray(item, "float32") - low) / (high - low) * 255, 0, 255)
        shaped = pixels.round().astype("uint8")
        picture = Image.fromarray(shaped[..., 0] if shaped.shape[-1] == 1 else shaped)
    return picture.convert("RGB").resize((_CELL, _CELL), Image.Resampling.NEAREST)
