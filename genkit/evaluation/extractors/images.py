"""What all extractors of images have in common: pixels as a file of 8 bits holds them."""

from __future__ import annotations

import numpy as np

from genkit.evaluation.extractors.base import Extractor
from genkit.plugins.schema import Field


class ImageExtractor(Extractor):
    """Base of extractors of images, whatever their features.

    A copy of an image is a copy of its pixels: features made to see classes put different pictures
    of one class close together. So the view is the pixels, rounded to 8 bits.
    """

    @property
    def space(self) -> str:  # type: ignore[override]
        return "" if self.field.range is None else "pixels, 8 bits"

    def view(self, items: np.ndarray) -> np.ndarray:
        return eight_bits(items, self.field).astype(np.uint8).reshape(len(items), -1)


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
