"""Generated images as files: single pictures and grids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from genkit.rendering import Renderer

if TYPE_CHECKING:
    from genkit.specs import Schema

_CHANNELS = {1: "L", 3: "RGB"}
_SMALL_EDGE = 64


def can_draw(schema: Schema) -> bool:
    """Say whether the schema has images that PNG files can hold: 1 or 3 channels, a range."""
    return any(
        field.modality == "image"
        and len(field.shape) == 3  # noqa: PLR2004
        and field.shape[-1] in _CHANNELS
        and field.range is not None
        for field in schema.fields.values()
    )


def to_pictures(samples: np.ndarray, schema: Schema) -> list[Image.Image]:
    """Turn samples into pictures.

    Args:
        samples: shape ``(n, height, width, channels)`` in the schema's range.
        schema: tells the range; see ``can_draw``.
    """
    limits = schema[schema.name_of("image")].range
    assert limits is not None, "can_draw() was asked"
    unit = (samples.astype("float32") - limits[0]) / (limits[1] - limits[0])
    pixels = np.round(np.clip(unit, 0, 1) * 255).astype("uint8")
    return [
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        for picture in pixels
    ]


class ImageRenderer(Renderer):
    """Shows images as PNG files and in grids."""

    suffix = "png"
    draws = True

    def fits(self) -> bool:
        return can_draw(self.schema)

    def write(self, item: np.ndarray, file: Path) -> None:
        save_png(self.pictures(item[None])[0], file)

    def pictures(self, items: np.ndarray) -> list[Image.Image]:
        return to_pictures(items, self.schema)


def grid(pictures: Sequence[Image.Image | None], columns: int | None = None) -> Image.Image:
    """Lay pictures of one size out in a grid with thin lines between them.

    Without a number of columns the grid is nearly square. Small pictures are enlarged by a whole
    factor, so that a person can see them. The place of None stays blank.
    """
    first = next(picture for picture in pictures if picture is not None)
    width, height = first.size
    zoom = max(1, _SMALL_EDGE // max(width, height))
    width, height = width * zoom, height * zoom
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    sheet = Image.new(first.mode, (columns * (width + 1) + 1, rows * (height + 1) + 1), "gray")
    for index, picture in enumerate(pictures):
        if picture is None:
            continue
        row, column = divmod(index, columns)
        enlarged = picture.resize((width, height), Image.Resampling.NEAREST)
        sheet.paste(enlarged, (1 + column * (width + 1), 1 + row * (height + 1)))
    return sheet


def save_png(picture: Image.Image, path: Path) -> None:
    """Write one picture as a PNG file, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        picture.save(partial, format="PNG")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise
