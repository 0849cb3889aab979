"""The renderer of spectrograms: sounds that can be heard, and pictures.

Completion of ``--format`` reads its class: nothing heavy is imported above.
"""

from __future__ import annotations

import base64
import io
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import genkit

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

_ENLARGED = 3
_MOST_PLAYERS = 16
# From silent to loud: black, violet, red, yellow, white, in steps that look even, as magma's.
_COLOURS = ((0, 0, 4), (81, 18, 124), (183, 55, 121), (252, 137, 97), (252, 253, 191))


class SpectrogramRenderer(genkit.Renderer):
    """Shows spectrograms of ``genkit_multimodal.spectrograms`` as WAV files, pictures, players.

    The sound's phase is guessed, by Griffin and Lim: what is heard has the spectrogram, nearly.
    """

    formats = ("wav", "png")
    draws = True

    def fits(self) -> bool:
        from genkit_multimodal.spectrograms import SHAPE

        return self.field.shape == SHAPE

    def write(self, item: np.ndarray, file: Path) -> None:
        if file.suffix == ".png":
            self.pictures(item[None])[0].save(file, "PNG")
        else:
            file.write_bytes(_wav(item))

    def pictures(self, items: np.ndarray) -> list[Image.Image]:
        return [picture_of(item) for item in items]

    def html(self, items: np.ndarray, alt: str, columns: int | None = None) -> str:
        pictures = super().html(items, alt, columns)
        players = [
            f'<audio controls preload="none" aria-label="{escape(alt)}, {number}" '
            f'src="data:audio/wav;base64,{base64.b64encode(_wav(item)).decode()}"></audio>'
            for number, item in enumerate(items[:_MOST_PLAYERS], 1)
        ]
        return f"{pictures}<div>{''.join(players)}</div>"


def picture_of(item: np.ndarray) -> Image.Image:
    """Draw a spectrogram, ``(bands, frames, 1)`` from 0 to 1, in colours, enlarged."""
    import numpy as np
    from PIL import Image

    values = np.clip(item[..., 0], 0, 1)
    places = np.linspace(0, 1, len(_COLOURS))
    colours = [np.interp(values, places, channel) for channel in np.transpose(_COLOURS)]
    pixels = np.round(np.stack(colours, axis=-1)).astype("uint8")
    return Image.fromarray(pixels.repeat(_ENLARGED, axis=0).repeat(_ENLARGED, axis=1))


def _wav(item: np.ndarray) -> bytes:
    from genkit_multimodal.spectrograms import to_sound
    from genkit_multimodal.wav import write_wav

    out = io.BytesIO()
    write_wav(to_sound(item), out)
    return out.getvalue()
