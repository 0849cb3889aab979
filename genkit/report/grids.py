"""Pictures of arrays, laid out in a grid, as a file or on a page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup
from PIL import Image

from genkit.report.sections import parts

if TYPE_CHECKING:
    from genkit.plugins.specs import Field

_CHANNELS = {1: "L", 3: "RGB"}
_SMALL_EDGE = 64
_TINY_EDGE = 12  # of so few pixels squares are all that one sees, unless they are smoothed
_GROUND = "#d0d0d0"  # light, but darker than white: a stroke that ends at an edge ends there
_NARROWEST, _WIDEST = 4, 8  # pixels of a gutter
_MOST_WIDTH = 1000  # pixels of a grid: sharp on a phone and on a desk, small in a file
_MOST_PNG = 200_000  # bytes; what needs more is a photograph and does better as JPEG


def can_draw(field: Field) -> bool:
    """Whether its items are images that PNG files can hold: 1 or 3 channels, a range."""
    return (
        field.modality == "image"
        and len(field.shape) == 3  # noqa: PLR2004
        and field.shape[-1] in _CHANNELS
        and field.range is not None
    )


def to_pictures(samples: np.ndarray, field: Field) -> list[Image.Image]:
    """Turn samples into pictures.

    Args:
        samples: shape ``(n, height, width, channels)`` in the field's range.
        field: what they are; see ``can_draw``.
    """
    limits = field.range
    assert limits is not None, "can_draw() was asked"
    unit = (samples.astype("float32") - limits[0]) / field.span
    pixels = np.round(np.clip(unit, 0, 1) * 255).astype("uint8")
    return [
        Image.fromarray(picture[..., 0] if picture.shape[-1] == 1 else picture)
        for picture in pixels
    ]


def from_picture(path: Path, field: Field) -> np.ndarray:
    """Read a picture that ``to_pictures`` made: the item in the field's range, float32.

    Args:
        path: of the file; PNG or WebP.
        field: what it is; see ``can_draw``.
    """
    with Image.open(path, formats=["PNG", "WEBP"]) as opened:
        return from_pixels(np.asarray(opened.convert(_CHANNELS[field.shape[-1] or 1])), field)


def from_pixels(pixels: np.ndarray, field: Field) -> np.ndarray:
    """Return pixels, uint8, as an item in the field's range, float32."""
    limits = field.range
    assert limits is not None, "can_draw() was asked"
    unit = pixels.reshape(*pixels.shape[:2], -1) / np.float32(255)
    return (unit * np.float32(field.span) + np.float32(limits[0])).astype(np.float32)


def grid(pictures: Sequence[Image.Image | None], columns: int | None = None) -> Image.Image:
    """Lay pictures of one size out in a grid, each with light ground around it.

    Without a number of columns the grid is nearly square. Small pictures are enlarged by a whole
    factor, so that a person can see them; those of at most 12 pixels smoothly. The place of None
    stays blank. Gutters are wide: across thin lines the strokes of small digits join to stripes. A
    picture alone has none.
    """
    first = next(picture for picture in pictures if picture is not None)
    width, height = first.size
    zoom = max(1, _SMALL_EDGE // max(width, height))
    tiny = max(width, height) <= _TINY_EDGE
    how = Image.Resampling.BICUBIC if tiny else Image.Resampling.NEAREST
    width, height = width * zoom, height * zoom
    columns = columns or math.ceil(math.sqrt(len(pictures)))
    rows = math.ceil(len(pictures) / columns)
    gutter = min(max(max(width, height) // 8, _NARROWEST), _WIDEST) if len(pictures) > 1 else 0
    size = (columns * (width + gutter) + gutter, rows * (height + gutter) + gutter)
    sheet = Image.new(first.mode, size, _GROUND)
    for index, picture in enumerate(pictures):
        if picture is None:
            continue
        row, column = divmod(index, columns)
        enlarged = picture.resize((width, height), how)
        place = (gutter + column * (width + gutter), gutter + row * (height + gutter))
        sheet.paste(enlarged, place)
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


def render_pictures(
    pictures: Sequence[Image.Image], alt: str, columns: int | None = None
) -> Markup:
    """Show pictures of one size as one grid."""
    columns = columns or round(len(pictures) ** 0.5)
    edge = max(1, _MOST_WIDTH // columns)
    smaller = [picture.copy() for picture in pictures]
    for picture in smaller:
        picture.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    return picture_part(grid(smaller, columns), alt)


def picture_part(picture: Image.Image, alt: str) -> Markup:
    """Return an ``img`` element that holds the picture itself."""
    buffer, kind = io.BytesIO(), "png"
    picture.save(buffer, "PNG")
    if buffer.tell() > _MOST_PNG:
        buffer, kind = io.BytesIO(), "jpeg"
        picture.save(buffer, "JPEG", quality=88)
    uri = data_uri(buffer.getvalue(), f"image/{kind}")
    made: Markup = parts().picture(uri, alt, *picture.size)
    return made


def data_uri(content: bytes, kind: str) -> str:
    """Return a URI that holds a file itself; its kind is a MIME type."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
