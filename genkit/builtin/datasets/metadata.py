"""Captions of an image folder: ``metadata.jsonl`` in the convention of Hugging Face.

One JSON object a line; ``file_name`` is the image, relative to the file's folder, and ``text``
its caption. Other keys are left alone.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from genkit.errors import DataError
from genkit.files import reason_of

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "metadata.jsonl"
_MAX_BYTES = 256 << 20


def read_captions(folder: Path) -> dict[Path, str]:
    """Read the captions of a folder's images, by path; none where there is no such file.

    Raises:
        DataError: a broken line, an image named twice, missing, or outside the folder.
    """
    file = folder / FILE_NAME
    if not file.is_file():
        return {}
    captions: dict[Path, str] = {}
    for number, line in enumerate(_lines(file), start=1):
        if line.strip():
            try:
                path, text = _parse(line, folder)
                _require(path not in captions, f"{path.name!r} is named a second time")
            except (OSError, ValueError, RecursionError) as error:
                raise DataError(
                    f'Expected {{"file_name": ..., "text": ...}} in line {number} of {file}; '
                    f"{reason_of(error)}.",
                    "Mend or remove that line.",
                ) from error
            captions[path] = text
    return captions if any(captions.values()) else {}


def _lines(file: Path) -> list[bytes]:
    try:
        size = file.stat().st_size
        if size <= _MAX_BYTES:
            return file.read_bytes().split(b"\n")
    except OSError as error:
        raise DataError(f"Expected to read {file}; {reason_of(error)}.") from error
    raise DataError(f"Expected {file} of at most {_MAX_BYTES} bytes; received {size}.")


def _parse(line: bytes, folder: Path) -> tuple[Path, str]:
    entry = json.loads(line)
    _require(isinstance(entry, dict), "it is no object")
    name, text = entry.get("file_name"), entry.get("text", "")
    _require(isinstance(name, str) and name, 'there is no "file_name"')
    _require(isinstance(text, str), '"text" is no string')
    text.encode()  # a lone surrogate is no text; the error is a ValueError
    path = PurePosixPath(name)
    outside = path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name
    _require(not outside, f"the file_name {name!r} leads outside the folder")
    _require((folder / name).is_file(), f"the image {name!r} is not there")
    return folder / name, text


def _require(condition: object, fault: str) -> None:
    if not condition:
        raise ValueError(fault)
