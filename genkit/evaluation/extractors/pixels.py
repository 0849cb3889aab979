"""The plainest features: the pixels themselves."""

from __future__ import annotations

import hashlib
from typing import ClassVar

import numpy as np

from genkit.errors import DataError
from genkit.evaluation.extractors.base import Extractor
from genkit.plugins.specs import Field


class Pixels(Extractor):
    """Pixels, rounded to 8 bits as an image file holds them, scaled to 0 to 1 and flattened."""

    name: ClassVar[str] = "pixels"
    costly: ClassVar[bool] = False
    digest = hashlib.sha256(b"pixels: round(255 * unit range) / 255, flattened").hexdigest()
    resize = "none"

    def __init__(self, image: Field) -> None:
        super().__init__(image)
        if image.range is None:
            raise DataError(
                "Expected images with a range, to know black from white; received none."
            )

    def features(self, items: np.ndarray) -> np.ndarray:
        """Return float32 features of shape ``(n, height * width * channels)``, from 0 to 1."""
        return eight_bits(items, self.image).reshape(len(items), -1) / np.float32(255)


def eight_bits(items: np.ndarray, image: Field) -> np.ndarray:
    """Round images to what an 8-bit file holds: float32, whole numbers from 0 to 255.

    Args:
        items: shape ``(n, height, width, channels)`` in the schema's range.
        image: tells the range.
    """
    assert image.range is not None, "checked when the extractor was opened"
    unit = (items.astype(np.float32) - np.float32(image.range[0])) / np.float32(image.span)
    rounded: np.ndarray = np.round(np.clip(unit, 0, 1) * np.float32(255))
    return rounded
