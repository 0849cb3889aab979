"""Reading a picture of any size as a square one."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from genkit.errors import DataError

ENDINGS = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif"))
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
_GROUND = "white"  # behind what is transparent, as when image folders are read


class NoPictureError(DataError):
    """A file that is no picture, or can't be read."""


def read_picture(file: Path, side: int, mode: str) -> np.ndarray:
    """Return a picture, uint8 ``(side, side, channels)``; one of another form is put on white.

    Args:
        file: PNG, JPEG, WebP, BMP or GIF, of an animation the first frame.
        side: pixels; a larger or smaller picture is resized.
        mode: ``"RGB"`` or ``"L"``.

    Raises:
        NoPictureError: no such file, none that is a picture, or one that is too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_FORMATS) as opened:
                opaque = opened.convert("RGBA")
    except (OSError, ValueError, SyntaxError, EOFError) as error:
        raise NoPictureError(f"Expected a picture at {file}: {_why(error)}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise NoPictureError(f"Expected a picture at {file}: {error}") from error
    longer = max(opaque.size)
    ground = Image.new("RGBA", (longer, longer), _GROUND)
    left, top = (longer - opaque.width) // 2, (longer - opaque.height) // 2
    ground.alpha_composite(opaque, (left, top))
    plain = ground.convert(mode)
    if longer != side:
        plain = plain.resize((side, side), Image.Resampling.LANCZOS)
    return np.asarray(plain, np.uint8).reshape(side, side, len(plain.getbands()))


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or "it is none, or damaged"
