"""Players of a page: sounds and clips that stand in it, and play without a script."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from genkit.report.grids import data_uri
from genkit.report.sections import joined, parts

_MOST_BARS = 96

if TYPE_CHECKING:
    from PIL import Image


def player(wav: bytes, loud: np.ndarray, name: str, seconds: float) -> Markup:
    """Return a player of a sound below its outline.

    Args:
        wav: the bytes of a WAV file.
        loud: of each sample, as ``outline`` takes it.
        name: what it is in words.
        seconds: how long it lasts.
    """
    values = outline(loud)
    bars = "".join(
        f"M{place} {50 - 48 * value:.0f}V{51 + 48 * value:.0f}"
        for place, value in enumerate(values)
    )
    made: Markup = parts().player(
        data_uri(wav, "audio/wav"), bars, len(values), name, f"{seconds:.3g} s"
    )
    return made


def outline(loud: np.ndarray) -> np.ndarray:
    """Return how loud a sound is along its time, at most 96 values from 0 to 1.

    Args:
        loud: of each sample, from 0 on, shape ``(samples,)`` or ``(samples, channels)``.
    """
    loud = loud.max(axis=1) if loud.ndim > 1 else loud
    pieces = np.array_split(loud, min(_MOST_BARS, max(1, len(loud))))
    return np.array([min(1.0, float(piece.max(initial=0))) for piece in pieces])


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
