"""The Free Spoken Digit Dataset: a few thousand recordings of spoken digits, as spectrograms."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import genkit
from genkit.data import ArraySource, LeftOut
from genkit.errors import DataError
from genkit_multimodal.spectrograms import RATE, SAMPLES, SHAPE, to_spectrogram
from genkit_multimodal.wav import read_wav, write_wav

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
    data = os.environ.get("GENKIT_DATA")
    if config.path is None and not data:
        raise DataError("Expected a folder of recordings; none is named.", _HINT)
    folder = config.path or Path(data or "", "fsdd")
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
        reason = getattr(error, "strerror", None) or "it is none, or damaged"
        raise DataError(f"Expected an archive of recordings at {archive}: {reason}.") from error
