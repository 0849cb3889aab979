"""The Free Spoken Digit Dataset: a few thousand recordings of spoken digits, as spectrograms."""

from __future__ import annotations

import io
import os
import re
import wave
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import genkit
from genkit.data import ArraySource, LeftOut
from genkit.errors import DataError
from genkit_multimodal.spectrograms import RATE, SAMPLES, SHAPE, to_spectrogram

if TYPE_CHECKING:
    from genkit_multimodal.data.configs import FsddConfig

SCHEMA = genkit.Schema(
    {
        "audio": genkit.Field(SHAPE, "float32", "spectrogram", (0, 1)),
        "label": genkit.Field((), "int32", "label", classes=tuple("0123456789")),
    }
)
_NAME = re.compile(r"([0-9])_[a-z]+_[0-9]+\.wav")
_MOST_BYTES = 1 << 20  # of a recording: they are of 40 kB at most
_LONGEST = 30 * RATE
_HINT = (
    "Clone github.com/Jakobovski/free-spoken-digit-dataset; put takes 0 to 4 of its recordings "
    "into the folder test and the others into train (or train.zip) of $GENKIT_DATA/fsdd, or of a "
    "folder that you name with --data path=FOLDER"
)


def open_fsdd(config: FsddConfig) -> ArraySource:
    """Open the recordings: fields ``audio``, spectrograms of 1 s, and ``label``.

    Raises:
        DataError: no recordings there.
    """
    folder = config.path or Path(os.environ.get("GENKIT_DATA", "")) / "fsdd"
    left_out = LeftOut(folder)
    spectrograms, labels = [], []
    for file, content in _recordings(folder, config.split):
        named = _NAME.fullmatch(file.name)
        try:
            sound = read_wav(io.BytesIO(content)) if named else None
        except DataError:
            left_out.add("unreadable", file)
            continue
        if named is None or sound is None:
            left_out.add("not named DIGIT_SPEAKER_TAKE.wav", file)
            continue
        spectrograms.append(to_spectrogram(sound))
        labels.append(int(named[1]))
        if len(labels) == config.limit:
            break
    if not labels:
        raise DataError(f"Expected recordings in {folder}/{config.split}; found none.", _HINT)
    arrays = {"audio": np.stack(spectrograms), "label": np.array(labels, "int32")}
    source = ArraySource(arrays, SCHEMA)
    left_out.record_in(source)
    return source


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
        raise DataError(f"Expected a WAV file at {name}: {error or 'it is cut off'}.") from error
    if form != (RATE, 1, 2) or not frames:
        raise DataError(
            f"Expected a sound of {RATE} Hz, 1 channel and 16 bits at {name}; received "
            f"{form[0]} Hz, {form[1]}, {8 * form[2]} bits, {len(frames)} bytes.",
            f"Convert it: sox IN -r {RATE} -c 1 -b 16 OUT.wav",
        )
    return np.frombuffer(frames[: len(frames) // 2 * 2], "<i2") / 32768


def write_wav(sound: np.ndarray, file: Any) -> None:
    """Write a sound, float from -1 to 1, as 16-bit WAV of 8 kHz into a path or an open file."""
    with wave.open(str(file) if isinstance(file, Path) else file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(2)
        opened.setframerate(RATE)
        opened.writeframes(np.clip(np.round(sound * 32768), -32768, 32767).astype("<i2").tobytes())


def write_fake(folder: Path) -> dict[str, Any]:
    """Write tones of ten pitches as recordings; give the settings that open them."""
    times = np.arange(SAMPLES // 2) / RATE
    for split, takes in (("test", range(2)), ("train", range(2, 5))):
        (folder / split).mkdir(parents=True)
        for digit in range(10):
            for take in takes:
                tone = 0.3 * np.sin(2 * np.pi * (200 + 150 * digit + 7 * take) * times)
                write_wav(tone, folder / split / f"{digit}_nobody_{take}.wav")
    return {"path": str(folder)}


def _recordings(folder: Path, split: str) -> Iterator[tuple[Path, bytes]]:
    """Return the WAV files of a split in the order of their names: of a folder, or of an archive.

    Raises:
        DataError: the archive is damaged.
    """
    archive = folder / f"{split}.zip"
    if (folder / split).is_dir() or not archive.is_file():
        for file in sorted((folder / split).glob("*.wav")):
            with file.open("rb") as opened:
                yield file, opened.read(_MOST_BYTES)
        return
    try:
        with zipfile.ZipFile(archive) as opened:
            for name in sorted(opened.namelist()):
                if name.endswith(".wav"):
                    with opened.open(name) as entry:
                        yield archive.parent / split / Path(name).name, entry.read(_MOST_BYTES)
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"Expected an archive of recordings at {archive}: {error}.") from error
