"""The renderer of clips: moving WebP files without loss.

Completion of ``--format`` reads its class: nothing heavy is imported above.
"""

from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import TYPE_CHECKING

from genkit.report.rendering import Renderer

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_AXES = 4
_MOST_CLIPS = 16
_STRIP = 6  # frames of a clip that stands still


class ClipRenderer(Renderer):
    """Shows clips of the shape ``(frames, height, width, channels)``: a moving WebP file each."""

    formats = ("webp",)
    overview = "webp"

    def fits(self) -> bool:
        shape = self.field.shape
        return (
            self.field.rate is not None
            and self.field.range is not None
            and len(shape) == _AXES
            and None not in shape[1:]
            and shape[3] in {1, 3}
        )

    def write(self, item: np.ndarray, file: Path) -> None:
        file.write_bytes(self.encoded(self.frames(item)))

    def read(self, file: Path) -> np.ndarray:
        import numpy as np
        from PIL import Image

        from genkit.report.grids import from_pixels

        frames: list[np.ndarray] = []
        with Image.open(file, formats=["WEBP"]) as opened:
            time = 0
            for place in range(getattr(opened, "n_frames", 1)):
                opened.seek(place)
                pixels = np.asarray(opened.convert("L" if self.field.shape[3] == 1 else "RGB"))
                opened.load()
                time += int(opened.info.get("duration", 0))
                # Equal frames are one that is shown for longer.
                while not frames or self._end(len(frames)) <= time:
                    frames.append(from_pixels(pixels, self.field))
        return np.stack(frames)

    def frames(self, item: np.ndarray) -> list[Image.Image]:
        """Return the frames of a clip as pictures."""
        from genkit.report.grids import to_pictures

        return to_pictures(item, self.field)

    def encoded(self, frames: list[Image.Image]) -> bytes:
        """Return pictures as the bytes of a moving WebP file that begins again at its end."""
        out = io.BytesIO()
        ends = [self._end(place) for place in range(-1, len(frames))]
        lasting = [after - before for before, after in itertools.pairwise(ends)]
        first, *others = [frame.convert("RGB") for frame in frames]
        first.save(
            out, "WEBP", save_all=True, append_images=others, duration=lasting, loop=0,
            lossless=True,
        )  # fmt: skip
        return out.getvalue()

    def write_overview(self, items: np.ndarray, file: Path) -> None:
        file.write_bytes(self.encoded(self._beside(items, None)))

    def html(self, items: np.ndarray, alt: str, columns: int | None = None) -> str:
        from genkit.report.grids import grid
        from genkit.report.players import clip

        items = items[:_MOST_CLIPS]
        moving = self._beside(items, columns)
        chosen = range(0, len(moving), max(1, len(moving) // _STRIP))
        still = grid([moving[place] for place in chosen], len(chosen))
        return str(clip(self.encoded(moving), moving[0].size, still, alt))

    def _beside(self, items: np.ndarray, columns: int | None) -> list[Image.Image]:
        """Return clips beside each other as the frames of one; shorter ones stop at their end."""
        from genkit.report.grids import grid

        clips = [self.frames(item) for item in items[:_MOST_CLIPS]]
        longest = max(map(len, clips))
        return [
            grid([each[min(place, len(each) - 1)] for each in clips], columns)
            for place in range(longest)
        ]

    def _end(self, place: int) -> int:
        """Return when a frame ends, in milliseconds: rounded by itself, so errors don't add up."""
        assert self.field.rate is not None, "fits() was asked"
        return round((place + 1) * 1000 / self.field.rate)
