"""``note.txt``: what somebody wants to remember of a run."""

from __future__ import annotations

from pathlib import Path

from genkit.errors import RunError
from genkit.files import reason_of, write_text

_FILE = "note.txt"


def read_note(run: Path) -> str:
    """Read a run's note; empty if it has none, or none that can be read."""
    try:
        return (run / _FILE).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def write_note(run: Path, text: str) -> None:
    """Write a run's note, in place of the one before; an empty one removes it.

    Raises:
        RunError: the folder refuses.
    """
    try:
        if text.strip():
            write_text(run / _FILE, text.strip() + "\n")
        else:
            (run / _FILE).unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"The note of {run} can't be written: {reason_of(error)}.") from error
