"""Reading what somebody gives of a field: a picture, a sound, a class, numbers."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image

import genkit
from genkit.errors import DataError, UsageError
from genkit_multimodal.spectrograms import SHAPE, to_spectrogram
from genkit_multimodal.wav import read_wav

_PICTURES = ("PNG", "JPEG", "WEBP", "BMP")
_MODES = {1: "L", 3: "RGB"}


def read_item(name: str, field: genkit.Field, text: str) -> np.ndarray:
    """Return an item of a field as the data has it, ``field.shape``.

    Args:
        name: of the field.
        field: what its items are.
        text: the name of a class; a picture, which is resized; a WAV file, for a spectrogram; and
            of other fields an ``.npy`` file, or numbers between commas.

    Raises:
        UsageError: no such class, or other numbers than the field has.
        DataError: no such file, or one that can't be read.
    """
    if field.classes:
        if text not in field.classes:
            known = ", ".join(field.classes)
            raise UsageError(f"Expected {name} as one of {known}; received {text!r}.")
        return np.array(field.classes.index(text), "int32")
    if field.modality == "image":
        return _read_picture(name, field, Path(text))
    if field.modality == "spectrogram" and field.shape == SHAPE and text.endswith(".wav"):
        return to_spectrogram(read_wav(Path(text)))
    return _read_numbers(name, field, text)


def _read_picture(name: str, field: genkit.Field, file: Path) -> np.ndarray:
    height, width, channels = (int(each or 1) for each in field.shape)
    if channels not in _MODES or field.range is None:
        raise DataError(f"Expected {name} with 1 or 3 channels; the model's has {channels}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=_PICTURES) as opened:
                rgba = opened.convert("RGBA")
    except (
        ValueError,
        OSError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as why:
        reason = getattr(why, "strerror", None) or "it is none, or damaged"
        raise DataError(f"Expected a picture at {file}: {reason}.") from why
    ground = Image.new("RGBA", rgba.size, "white")
    plain = Image.alpha_composite(ground, rgba).convert(_MODES[channels])
    if plain.size != (width, height):
        plain = plain.resize((width, height), Image.Resampling.LANCZOS)
    low, high = field.range
    pixels = np.asarray(plain, "float32").reshape(height, width, channels) / 255
    return pixels * (high - low) + low


def _read_numbers(name: str, field: genkit.Field, text: str) -> np.ndarray:
    shape = tuple(int(each or 1) for each in field.shape)
    try:
        if text.endswith(".npy"):
            numbers = np.load(text, allow_pickle=False).astype("float32")
        else:
            numbers = np.array([float(each) for each in text.split(",")], "float32").reshape(shape)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(
            f"Expected {name} as an .npy file, or as {int(np.prod(shape))} numbers between commas; "
            f"received {text!r:.100}."
        ) from error
    if numbers.shape != shape or not np.isfinite(numbers).all():
        raise DataError(f"Expected finite numbers of shape {shape} of {name}; got {numbers.shape}.")
    return numbers
