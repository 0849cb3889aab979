"""``metrics.jsonl``: one JSON object a training step, without gap, double or torn line."""

from __future__ import annotations

import json
import math
import os
import time
import warnings
from array import array
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.files import finite, sync, write_text

if TYPE_CHECKING:
    import numpy as np

_FLUSH_SECONDS = 1.0
_BLOCK = 2**13
"""Bytes read at once from the end: more than a line has."""


class MetricsLog:
    """The log of a run's losses.

    Lines that the disk refuses wait in memory and are tried again with the next ones.

    Args:
        path: the file; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._waiting: list[str] = []
        self._tried = 0.0
        self._warned = False

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a line; it is on its way to the disk within a second."""
        self._waiting.append(json.dumps(finite(row)) + "\n")
        if time.monotonic() - self._tried > _FLUSH_SECONDS:
            try:
                self.flush()
            except OSError as error:
                if not self._warned:
                    self._warned = True
                    warnings.warn(
                        f"{self.path} can't be written: {error.strerror}. Training goes on; the "
                        "lines wait in memory.",
                        stacklevel=2,
                    )

    def flush(self) -> None:
        """Hand all lines to the system, each whole.

        Raises:
            OSError: the disk refuses; the file is as it was, and the lines wait.
        """
        self._tried = time.monotonic()
        if not self._waiting:
            return
        content = "".join(self._waiting).encode()
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            before = os.fstat(descriptor).st_size
            try:
                written = 0
                while written < len(content):
                    written += os.write(descriptor, content[written:])
            except OSError:
                os.ftruncate(descriptor, before)
                raise
        finally:
            os.close(descriptor)
        self._waiting.clear()

    def keep(self) -> None:
        """Have all lines on the disk, for a checkpoint that presumes them.

        Raises:
            OSError: the disk refuses.
        """
        self.flush()
        if self.path.exists():
            sync(self.path)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Read the lines one by one, leaving out what a kill has torn."""
        with (
            suppress(FileNotFoundError),
            self.path.open(encoding="utf-8", errors="replace") as file,
        ):
            yield from (row for row in map(_parse, file) if row is not None)

    def last(self) -> dict[str, Any] | None:
        """Read the last whole line, from the file's end; None if there is none."""
        with suppress(FileNotFoundError), self.path.open("rb") as file:
            start, end = file.seek(0, os.SEEK_END), b""
            while start:
                block = min(start, max(_BLOCK, len(end)))
                start -= block
                file.seek(start)
                end = file.read(block) + end
                lines = end.split(b"\n")[1 if start else 0 :]  # the first may begin before
                rows = (_parse(line.decode(errors="replace")) for line in reversed(lines))
                if found := next((row for row in rows if row is not None), None):
                    return found
        return None

    def rows(self) -> list[dict[str, Any]]:
        """Read the lines, leaving out what a kill has torn."""
        return list(self)

    def columns(self) -> dict[str, np.ndarray]:
        """Read the lines as columns; float64, NaN where a line has no such number.

        Eight bytes a number: a million steps of three losses take 48 MB.
        """
        import numpy as np

        found: dict[str, array[float]] = {}
        count = 0
        for row in self:
            for name, value in row.items():
                if value is None or isinstance(value, (int, float)):
                    column = found.setdefault(name, array("d"))
                    column.extend([math.nan] * (count - len(column)))
                    column.append(math.nan if value is None else value)
            count += 1
        for column in found.values():
            column.extend([math.nan] * (count - len(column)))
        return {name: np.asarray(column) for name, column in found.items()}

    def cut(self, step: int) -> None:
        """Drop lines after a step: the steps they tell of will be done again."""
        rows = self.rows()
        kept = [row for row in rows if row["step"] <= step]
        if len(kept) < len(rows) or not self._ends_well():
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in kept))

    def _ends_well(self) -> bool:
        """Return whether the last line is whole."""
        try:
            with self.path.open("rb") as file:
                if file.seek(0, os.SEEK_END) == 0:
                    return True
                file.seek(-1, os.SEEK_END)
                return file.read(1) == b"\n"
        except FileNotFoundError:
            return True


def _parse(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None
