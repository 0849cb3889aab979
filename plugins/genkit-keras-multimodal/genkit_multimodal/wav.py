"""WAV files in the one form that recordings have here: 8 kHz, one channel, 16 bits."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np

from genkit.errors import DataError
from genkit_multimodal.spectrograms import RATE

_LONGEST = 30 * RATE
_FULL = 32_768  # of 16 bits


def read_wav(file: Any) -> np.ndarray:
    """Return a sound of 16-bit WAV, 8 kHz, one channel.

    Args:
        file: a path, or an open file.

    Returns:
        float64 ``(samples,)`` from -1 to 1.

    Raises:
        DataError: no such file, or one of another form.
    """
    name = getattr(file, "name", None) or file
    try:
        with wave.open(str(file) if isinstance(file, Path) else file) as opened:
            form = (opened.getframerate(), opened.getnchannels(), opened.getsampwidth())
            frames = opened.readframes(min(opened.getnframes(), _LONGEST))
    except (OSError, EOFError, wave.Error) as error:
        reason = getattr(error, "strerror", None) or "it is none, or cut off"
        raise DataError(f"Expected a WAV file at {name}: {reason}.") from error
    if form != (RATE, 1, 2) or not frames:
        raise DataError(
            f"Expected a sound of {RATE} Hz, 1 channel and 16 bits at {name}; received "
            f"{form[0]} Hz, {form[1]}, {8 * form[2]} bits, {len(frames)} bytes.",
            f"Convert it: sox IN -r {RATE} -c 1 -b 16 OUT.wav",
        )
    return np.frombuffer(frames[: len(frames) // 2 * 2], "<i2") / _FULL


def write_wav(sound: np.ndarray, file: Any) -> None:
    """Write a sound, float from -1 to 1, as 16-bit WAV of 8 kHz into a path or an open file."""
    with wave.open(str(file) if isinstance(file, Path) else file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(RATE)
        opened.writeframes(
            np.clip(np.round(sound * _FULL), -_FULL, _FULL - 1).astype("<i2").tobytes()
        )
