"""What the samples of a run in training were given: a table, as ``--given`` takes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from genkit.files import write_text

_FILE = "conditions.csv"
_MOST_BYTES, _MOST_LETTERS = 1 << 20, 200


def write_conditions(folder: Path, columns: Mapping[str, Sequence[str]]) -> None:
    """Write the conditions of samples beside them.

    Args:
        folder: of a run's samples.
        columns: a value a sample, in order, by condition.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    write_text(folder / _FILE, text.getvalue())


def read_conditions(folder: Path) -> list[list[str]]:
    """Read the conditions of samples, which may be anyone's.

    Args:
        folder: of a run's samples.

    Returns:
        the names, and a row a sample, long texts cut; nothing where there are none, or where the
        file is damaged, which must not hide the samples.
    """
    file = folder / _FILE
    try:
        if file.stat().st_size > _MOST_BYTES:
            return []
        rows = list(csv.reader(io.StringIO(file.read_text(encoding="utf-8")), strict=True))
    except (OSError, ValueError, csv.Error):
        return []
    whole = [row for row in rows if row and len(row) == len(rows[0])]
    return [[cell[:_MOST_LETTERS] for cell in row] for row in whole] if len(whole) > 1 else []
