"""The plainest features: the pixels themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np

from genkit.errors import DataError
from genkit.evaluation.extractors.images import ImageExtractor, eight_bits
from genkit.plugins.schema import Schema


class Pixels(ImageExtractor):
    """Pixels, rounded to 8 bits as an image file holds them, scaled to 0 to 1 and flattened."""

    name = "pixels"
    costly = False
    digest = hashlib.sha256(b"pixels: round(255 * unit range) / 255, flattened").hexdigest()
    resize = "none"

    def __init__(
        self, schema: Schema, field: str, assets: Mapping[str, np.ndarray] | None = None
    ) -> None:
        super().__init__(schema, field, assets)
        if self.field.range is None:
            raise DataError(
                "Expected images with a range, to know black from white; received none."
            )

    @property
    def width(self) -> int:
        return int(np.prod([size or 1 for size in self.field.shape]))

    def features(self, items: np.ndarray) -> np.ndarray:
        """Return float32 features of shape ``(n, height * width * channels)``, from 0 to 1."""
        return eight_bits(items, self.field).reshape(len(items), -1) / np.float32(255)
