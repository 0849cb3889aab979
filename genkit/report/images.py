"""The renderer of images: PNG files and grids.

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
    """Shows images as PNG files and in grids."""

    suffix = "png"
    draws = True

    def fits(self) -> bool:
        from genkit.report.grids import can_draw

        return can_draw(self.field)

    def write(self, item: np.ndarray, file: Path) -> None:
        from genkit.report.grids import save_png

        save_png(self.pictures(item[None])[0], file)

    def pictures(self, items: np.ndarray) -> list[Image.Image]:
        from genkit.report.grids import to_pictures

        return to_pictures(items, self.field)
