"""Where a verb draws its picture."""

from __future__ import annotations

from pathlib import Path

from genkit.errors import UsageError


def png_file(asked: Path | None, usual: Path) -> Path:
    """Return the file that a picture goes to; asked for before anything is computed.

    Args:
        asked: of the command line.
        usual: where none is asked for.

    Raises:
        UsageError: it is no PNG file by its name.
    """
    file = asked or usual
    if file.suffix.lower() != ".png":
        raise UsageError(f"Expected --out as a .png file; received {file}.")
    return file
