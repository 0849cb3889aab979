"""Players of a page: sounds and clips that stand in it, and play without a script."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup

from genkit.report.grids import data_uri
from genkit.report.sections import joined, parts

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


def player(wav: bytes, outline: np.ndarray, name: str, seconds: float) -> Markup:
    """Return a player of a sound below its outline.

    Args:
        wav: the bytes of a WAV file.
        outline: how loud it is along its time, from 0 to 1.
        name: what it is in words.
        seconds: how long it lasts.
    """
    bars = "".join(
        f"M{place} {50 - 48 * loud:.0f}V{50 + 48 * loud + 1:.0f}"
        for place, loud in enumerate(outline)
    )
    made: Markup = parts().player(
        data_uri(wav, "audio/wav"), bars, len(outline), name, f"{seconds:.2f} s"
    )
    return made


def players(made: Sequence[Markup], total: int) -> Markup:
    """Return players beside each other, and say how many of them all they are."""
    gallery: Markup = parts().gallery(made, "small")
    if len(made) == total:
        return gallery
    return joined([gallery, parts().text(f"The first {len(made)} of {total}.")])


def clip(webp: bytes, size: tuple[int, int], still: Image.Image, name: str) -> Markup:
    """Return a clip that moves; on paper, and for who asked for less motion, a strip of frames.

    Args:
        webp: the bytes of a moving WebP file.
        size: its width and height.
        still: the strip.
        name: what it is in words.
    """
    out = io.BytesIO()
    still.save(out, "PNG")
    made: Markup = parts().clip(
        data_uri(webp, "image/webp"), data_uri(out.getvalue(), "image/png"), name, *size
    )
    return made
