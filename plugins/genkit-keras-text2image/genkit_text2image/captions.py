"""Captions in ``metadata.jsonl``, in the convention of Hugging Face; the file may be anyone's.

One JSON object a line: ``file_name``, the picture, relative to the folder; ``text``, its caption;
perhaps ``keywords``, ``category``, ``subcategory`` or ``categories``, further words for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from genkit.data import LeftOut
from genkit.errors import DataError
from genkit_text2image.picture_files import ENDINGS
from genkit_text2image.words import words_of

FILE_NAME = "metadata.jsonl"
_MOST_BYTES = 256 << 20
_HINTS = ("keywords", "category", "subcategory", "categories")


@dataclass(frozen=True)
class Caption:
    """What is said of a picture.

    Args:
        words: of its caption, at least one.
        hints: further words: its keywords and categories.
    """

    words: tuple[str, ...]
    hints: tuple[str, ...] = ()


def read_captions(folder: Path, longest: int, left_out: LeftOut) -> dict[Path, Caption]:
    """Read the captions of a folder's pictures, by path.

    Counted are captions without a word, those of pictures that aren't there, those that are cut,
    and pictures that the file doesn't name.

    Args:
        folder: with the file.
        longest: words that are kept of a caption.
        left_out: counts what can't be used.

    Raises:
        DataError: no such file, or a line that isn't as it should be.
    """
    file = folder / FILE_NAME
    captions: dict[Path, Caption] = {}
    seen: set[Path] = set()
    for number, line in enumerate(_lines(file), start=1):
        if not line.strip():
            continue
        try:
            entry, picture = _parsed(line, folder)
            _require(picture not in seen, f"{picture.name!r} is named a second time")
        except (ValueError, RecursionError) as error:
            raise DataError(
                f'Expected {{"file_name": ..., "text": ...}} in line {number} of {file}; {error}.',
                "Mend or remove that line.",
            ) from error
        seen.add(picture)
        words = tuple(words_of(entry.get("text", "")))
        if not picture.is_file():
            left_out.add("captions of pictures that are not there", picture)
        elif not words:
            left_out.add("captions without a word", picture)
        else:
            if len(words) > longest:
                left_out.add(f"words of captions behind the first {longest}", picture)
            captions[picture] = Caption(words[:longest], _hints(entry))
    for picture in sorted(folder.rglob("*")):
        if picture.suffix.lower() in ENDINGS and picture not in seen and picture.is_file():
            left_out.add("pictures without a caption", picture)
    if not captions:
        counted = left_out.summary() if left_out.counts else ""
        raise DataError(f"Expected captions of pictures in {file}; received none.", counted)
    return captions


def _lines(file: Path) -> list[bytes]:
    try:
        size = file.stat().st_size
        if size <= _MOST_BYTES:
            return file.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(
            f"Expected captions in {file}: {error.strerror}.",
            'Write it: a line {"file_name": "a.png", "text": "red apple"} for each picture.',
        ) from error
    raise DataError(f"Expected {file} of at most {_MOST_BYTES} bytes; received {size}.")


def _parsed(line: bytes, folder: Path) -> tuple[Mapping[str, Any], Path]:
    """Return the object of a line, and the picture it is about, inside of the folder."""
    entry = json.loads(line)
    _require(isinstance(entry, dict), "it is no object")
    name, text = entry.get("file_name"), entry.get("text", "")
    _require(isinstance(name, str) and name, 'there is no "file_name"')
    _require(isinstance(text, str), '"text" is no string')
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    _require(not outside, f"the file_name {name[:60]!r} leads outside the folder")
    return entry, folder / name


def _require(condition: object, fault: str) -> None:
    if not condition:
        raise ValueError(fault)


def _hints(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the words of keywords and categories, each once; other values say nothing."""
    texts: list[str] = []
    for key in _HINTS:
        value = entry.get(key)
        texts += [value] if isinstance(value, str) else value if isinstance(value, list) else []
    words = (word for text in texts if isinstance(text, str) for word in words_of(text))
    return tuple(dict.fromkeys(words))
