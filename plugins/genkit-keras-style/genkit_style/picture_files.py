"""Reading a picture that somebody wants to find in a model."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from genkit.errors import DataError

_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
_MODES = {1: "L", 3: "RGB"}
_GROUND = "white"  # behind what is transparent, as when image folders are read


def read_picture(file: Path, model: Any) -> tuple[np.ndarray, tuple[int, int]]:
    """Return a picture as the model's data has them, and the size it had.

    Args:
        file: a picture; of another size it is resized.
        model: with its schema.

    Returns:
        float32 ``(side, side, channels)`` in the data's range; ``(width, height)`` of the file.

    Raises:
        DataError: no picture, one that isn't square, or a model of another kind of pictures.
    """
    field = model.schema[model.generated_field()]
    side, _, channels = field.shape
    if channels not in _MODES:
        raise DataError(f"Expected a model of pictures of 1 or 3 channels; it has {channels}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_FORMATS) as opened:
                size = opened.size
                if size[0] != size[1]:
                    raise DataError(
                        f"Expected a square picture; {file} has {size[0]}x{size[1]} pixels.",
                        "Cut out the part that the model was trained on.",
                    )
                rgba = opened.convert("RGBA")
    except OSError as error:  # of the system, or of a file that is no picture
        why = error.strerror or "it is none, or damaged"
        raise DataError(f"Expected a picture at {file}: {why}.") from error
    except (ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(f"Expected a picture at {file}: {error}") from error
    ground = Image.new("RGBA", rgba.size, _GROUND)
    plain = Image.alpha_composite(ground, rgba).convert(_MODES[channels])
    if size != (side, side):
        plain = plain.resize((side, side), Image.Resampling.LANCZOS)
    low, high = field.range
    pixels = np.asarray(plain, "float32").reshape(side, side, channels) / 255
    return pixels * (high - low) + low, size
