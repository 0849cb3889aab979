"""Style files: the styles of one picture, for the model that they were found with."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import keras
import numpy as np

from genkit.errors import DataError

_LARGEST = 1 << 24  # bytes of a file: 18 styles of 512 numbers take some 37,000
_NAME = "styles"


def fingerprint(model: Any) -> str:
    """Return the SHA-256 of the weights that turn styles into pictures, in hexadecimal digits."""
    found = hashlib.sha256()
    for variable in model.synthesis.weights:
        value = np.ascontiguousarray(keras.ops.convert_to_numpy(variable.value), dtype="<f4")
        found.update(value.tobytes())
    return found.hexdigest()


def write_styles(styles: np.ndarray, model: Any, file: Path) -> None:
    """Write the styles of one picture, float32 of shape ``(styles, width)``."""
    from safetensors.numpy import save

    content = save(
        {_NAME: np.ascontiguousarray(styles, dtype="float32")}, {"model": fingerprint(model)}
    )
    partial = file.with_name(f".{file.name}")
    partial.write_bytes(content)
    partial.replace(file)


def read_styles(file: Path, model: Any) -> np.ndarray:
    """Return styles that ``write_styles`` wrote, float32 of shape ``(styles, width)``.

    Raises:
        DataError: no such file, one of another kind, or of another model.
    """
    from safetensors import SafetensorError, safe_open

    if not file.is_file() or file.stat().st_size > _LARGEST:
        raise DataError(f"Expected a style file of genkit project at {file}; there is none.")
    try:
        with safe_open(file, "np") as opened:
            told, names = opened.metadata() or {}, list(opened.keys())
            styles = opened.get_tensor(_NAME) if names == [_NAME] else None
    except OSError as error:
        raise DataError(f"{file} can't be read: {error.strerror}.") from error
    except (SafetensorError, ValueError) as error:
        raise DataError(f"{file} is no style file of genkit project: {error}") from error
    if styles is None or "model" not in told:
        raise DataError(f"{file} is no style file of genkit project.")
    expected = (model.synthesis.styles, model.width)
    if told["model"] != fingerprint(model) or styles.shape != expected:
        raise DataError(
            f"{file} is a style of another model: its numbers mean nothing to this one.",
            "Find it again with: genkit project RUN PICTURE",
        )
    if styles.dtype != np.float32 or not np.isfinite(styles).all():
        raise DataError(f"{file} is damaged: expected finite float32 numbers.")
    return styles
