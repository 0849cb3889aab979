"""Files that are written whole or not at all, and folders from strangers."""

from __future__ import annotations

import json
import math
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genkit.errors import RunError, UsageError

# What is written beside a file or a folder until it is whole has a longer name: .NAME.PID.partial.
_SPARE_BYTES = 24
# Below a folder that is made stand others, and their files.
_SPARE_PATH = 256


def check_path(path: Path) -> None:
    """Refuse a path that can't be made, before anything is computed for it.

    Args:
        path: of a file or folder; what is there already is not looked at.

    Raises:
        UsageError: a name is too long for the file system or can't be shown, the whole is too
            long, or a file stands where a folder must be.
    """
    there = next((each for each in path.parents if exists(each)), None)
    if there is None or exists(path):
        return
    if not there.is_dir():
        raise UsageError(
            f"Expected a folder at {there}; it is a file.", "Choose another folder or name."
        )
    for name in path.relative_to(there).parts:
        if not can_be_shown(name):
            raise UsageError(f"Expected a name of printable characters; received {name!r:.80}.")
        most = _limit(there, "PC_NAME_MAX", 255) - _SPARE_BYTES
        if (size := len(os.fsencode(name))) > most:
            raise UsageError(
                f"Expected a name of at most {most} bytes; received one of {size}, "
                f"{name[:20]!r}...",
                "Choose a shorter one.",
            )
    most = _limit(there, "PC_PATH_MAX", 4096) - _SPARE_PATH
    if (size := len(os.fsencode(path))) > most:
        raise UsageError(
            f"Expected a path of at most {most} bytes; received one of {size}.",
            "Choose another folder or name.",
        )


def can_be_shown(name: str) -> bool:
    """Whether a name is text without control characters."""
    return not any(
        letter < " " or letter == "\x7f" or "\ud800" <= letter <= "\udfff" for letter in name
    )


def exists(path: Path) -> bool:
    """Whether there is a file or folder; not at a path that the system refuses."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name is too long, or none of the system's
        return False


def _limit(folder: Path, what: str, usual: int) -> int:
    try:
        return os.pathconf(folder, what)
    except (AttributeError, OSError, ValueError):  # Windows, and file systems that don't tell
        return usual


_NUMBER = re.compile(r"\[(?:Errno|WinError) -?\d+\] ")


def reason_of(error: BaseException) -> str:
    """Return why something failed, in one line: the system's words, without number and path."""
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _NUMBER.sub("", " ".join(words.split()))[:300] or type(error).__name__


def read_json(path: Path, remedy: str = "") -> dict[str, Any]:
    """Read a JSON object.

    Args:
        path: of the file.
        remedy: what to do if it can't be read, a sentence.

    Raises:
        RunError: it is missing, damaged or no object.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"The file {path} can't be read: {reason_of(error)}.", remedy) from error
    if not isinstance(data, dict):
        raise RunError(f"The file {path} can't be read: expected a JSON object.", remedy)
    return data


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all: beside, onto the disk, then renamed into place."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        sync(partial)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Return an empty place for files that appear in a folder together, or not at all.

    Args:
        folder: where they go when the block ends well, replacing files of the same names.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".", suffix=".partial", dir=folder) as name:
        place = Path(name)
        yield place
        for file in sorted(place.iterdir()):
            file.replace(folder / file.name)


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with what JSON has no word for, NaN and infinity, as None."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def refuse_links(folder: Path) -> None:
    """Refuse a folder from which a link leads out: who writes into it would write elsewhere.

    The folder itself may be a link.

    Raises:
        RunError: with the first such link.
    """
    root = folder.resolve()
    for parent, folders, names in os.walk(root):
        for name in (*folders, *names):
            path = Path(parent, name)
            if path.is_symlink() and not path.resolve().is_relative_to(root):
                raise RunError(
                    f"Expected a folder without links out of it; {path} leads to {path.resolve()}.",
                    "Copy what it leads to into its place, if you trust where it comes from.",
                )


def inside(folder: Path, given: str, what: str) -> Path:
    """Return the path that a name stands for in a folder.

    Raises:
        RunError: the name is absolute or leads out of the folder.
    """
    path = Path(given)
    if not given or path.is_absolute() or ".." in path.parts or "\0" in given:
        raise RunError(
            f"Expected {what} as a path inside {folder}; received {given!r}.",
            "Give a relative path without '..': it stands in the run directory.",
        )
    return folder / path
