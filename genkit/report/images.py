"""The renderer of images: PNG and WebP files, and grids.

Completion of ``--format`` reads its class: nothing heavy is imported above.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from genkit.report.rendering import Renderer

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


class ImageRenderer(Renderer):
    """Shows images as files without loss, and in grids."""

    formats = ("png", "webp")
    draws = True

    def fits(self) -> bool:
        from genkit.report.grids import can_draw

        return can_draw(self.field)

    def write(self, item: np.ndarray, file: Path) -> None:
        (picture,) = self.pictures(item[None])
        if file.suffix == ".webp":
            picture.save(file, "WEBP", lossless=True)
        else:
            from genkit.report.grids import save_png

            save_png(picture, file)

    def read(self, file: Path) -> np.ndarray:
        from genkit.report.grids import from_picture

        return from_picture(file, self.field)

    def pictures(self, items: np.ndarray) -> list[Image.Image]:
        from genkit.report.grids import to_pictures

        return to_pictures(items, self.field)
