"""The renderer of sound: 16-bit WAV files, and players in reports.

Completion of ``--format`` reads its class: nothing heavy is imported above.
"""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.errors import RunError
from genkit.report.rendering import Renderer

if TYPE_CHECKING:
    import numpy as np
    from markupsafe import Markup

_MOST_CHANNELS = 8
_FULL = 1 << 15  # of 16 bits
_MOST_PLAYERS = 24
_MOST_SECONDS = 60  # of all players on a page together
_BESIDE, _PAUSE = 16, 0.25  # sounds in an overview, and seconds between them


class SoundRenderer(Renderer):
    """Shows sounds: a WAV file each, and players.

    Items have the shape ``(samples,)`` or ``(samples, channels)``, and the field its ``rate``. A
    sound that goes beyond the field's range is made quieter as a whole: cutting it off is a click.
    """

    formats = ("wav",)
    overview = "wav"

    def fits(self) -> bool:
        shape, kind = self.field.shape, self.field.dtype.rstrip("0123456789")
        channels = shape[1] if len(shape) == 2 else 1  # noqa: PLR2004
        return (
            self.field.rate is not None
            and kind in {"float", "int", "uint"}
            and len(shape) in {1, 2}
            and channels is not None
            and channels <= _MOST_CHANNELS
        )

    def write(self, item: np.ndarray, file: Path) -> None:
        file.write_bytes(self.encoded(item))

    def read(self, file: Path) -> np.ndarray:
        import numpy as np

        with wave.open(str(file)) as opened:
            frames = opened.readframes(opened.getnframes())
            values = np.frombuffer(frames, "<i2").reshape(-1, opened.getnchannels())
        middle, peak = self._scale()
        sound = values.astype("float32") / _FULL * peak + middle
        shaped = sound if len(self.field.shape) > 1 else sound[:, 0]
        if self.field.dtype.startswith("float"):
            return shaped.astype(self.field.dtype)
        return np.round(shaped).astype(self.field.dtype)

    def encoded(self, item: np.ndarray) -> bytes:
        """Return a sound as the bytes of a WAV file.

        Raises:
            RunError: it has NaN or infinite values.
        """
        import numpy as np

        middle, peak = self._scale()
        sound = (np.asarray(item, "float64") - middle) / peak
        if not np.isfinite(sound).all():
            raise RunError(
                "Expected a sound of finite values; received NaN or infinity.",
                "Its training went astray: take an earlier step with --checkpoint, or train anew.",
            )
        sound = sound / max(1.0, float(np.abs(sound).max(initial=0)))
        values = np.clip(np.round(sound * _FULL), -_FULL, _FULL - 1).astype("<i2")
        out = io.BytesIO()
        with wave.open(out, "wb") as opened:
            opened.setnchannels(values.shape[1] if values.ndim > 1 else 1)
            opened.setsampwidth(2)
            opened.setframerate(self._rate())
            opened.writeframes(values.tobytes())
        return out.getvalue()

    def write_overview(self, items: np.ndarray, file: Path) -> None:
        import numpy as np

        steps, channels = round(_PAUSE * self._rate()), np.shape(items[0])[1:]
        pause = np.full((steps, *channels), self._scale()[0])
        pieces = [piece for item in items[:_BESIDE] for piece in (item, pause)]
        self.write(np.concatenate(pieces), file)

    def html(self, items: np.ndarray, alt: str, columns: int | None = None) -> str:  # noqa: ARG002
        import numpy as np

        from genkit.report.players import player, players

        made: list[Markup] = []
        left = _MOST_SECONDS * self._rate()
        for number, item in enumerate(items[:_MOST_PLAYERS], 1):
            left -= len(item)
            if made and left < 0:
                break
            seconds = len(item) / self._rate()
            name = f"{alt}, {number} of {len(items)}"
            middle, peak = self._scale()
            loud = np.abs(np.asarray(item, "float64") - middle) / peak
            made.append(player(self.encoded(item), loud, name, seconds))
        return str(players(made, len(items)))

    def blank(self) -> Any:
        import numpy as np

        return np.full_like(super().blank(), self._scale()[0])

    def _rate(self) -> int:
        assert self.field.rate is not None, "fits() was asked"
        return max(1, round(self.field.rate))

    def _scale(self) -> tuple[float, float]:
        """Return what silence is, and how far the range goes from there."""
        low, high = self.field.range or (-1.0, 1.0)
        middle = 0.0 if low < 0 < high else (low + high) / 2  # unsigned integers swing around
        if self.field.dtype == "uint8":
            middle = 128.0
        return middle, max(high - middle, middle - low) or 1.0
