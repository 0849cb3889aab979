"""Rows of a stream that are all looked at again: in memory, in a file, or by their digests."""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Mapping

import numpy as np

from genkit.errors import DataError
from genkit.evaluation.held_out import digests
from genkit.files import reason_of

IN_MEMORY = 1 << 28
_ROWS = 4096


class WaitingRows:
    """Rows of bytes that wait to be read again: 256 MiB in memory, more in a temporary file."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, prefix="genkit-")  # noqa: SIM115 - open as long as the metric lives
        weakref.finalize(self, self._file.close)
        self._width = 0
        self._runs: list[tuple[int, int]] = []  # of rows that follow on each other: begin and end

    def __len__(self) -> int:
        return sum(end - begin for begin, end in self._runs)

    def add(self, rows: np.ndarray, begin: int | None = None) -> None:
        """Append rows.

        Args:
            rows: uint8 of shape ``(n, width)``.
            begin: the place of the first in its stream; None if they follow on those before.

        Raises:
            DataError: there is no room for them.
        """
        self._width = rows.shape[1]
        follows = self._runs[-1][1] if self._runs else 0
        begin = follows if begin is None else begin
        try:
            self._file.write(rows.tobytes())
        except OSError as error:
            raise DataError(
                f"Expected room for the training items in {tempfile.gettempdir()}; "
                f"{reason_of(error)}.",
                "Point TMPDIR to a folder on a larger disk, or leave memorisation out.",
            ) from error
        if self._runs and begin == follows:
            begin = self._runs.pop()[0]
            self._runs.append((begin, follows + len(rows)))
        else:
            self._runs.append((begin, begin + len(rows)))

    def chunks(self) -> Iterator[tuple[int, np.ndarray]]:
        """Return the place of a chunk's first row, and the chunk; again from the first row."""
        self._file.seek(0)
        for begin, end in self._runs:
            for start in range(begin, end, _ROWS):
                data = self._file.read(min(_ROWS, end - start) * self._width)
                yield start, np.frombuffer(data, np.uint8).reshape(-1, self._width)
        self._file.seek(0, 2)

    def state(self) -> Mapping[str, np.ndarray]:
        """Return all rows, and the places they begin and end at."""
        rows = [chunk for _, chunk in self.chunks()]
        return {"runs": np.array(self._runs), "rows": np.concatenate(rows)} if rows else {}

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Append the rows of other places."""
        start = 0
        for begin, end in state.get("runs", ()):
            self.add(state["rows"][start : start + end - begin], int(begin))
            start += end - begin


class Digests:
    """A digest of each row, 8 bytes: enough to find equal ones."""

    def __init__(self) -> None:
        self._found: list[np.ndarray] = []
        self._places: list[np.ndarray] = []

    def add(self, rows: np.ndarray, begin: int | None = None) -> None:
        """Look at rows; ``begin`` as of ``WaitingRows``."""
        if begin is None:
            begin = int(self._places[-1][-1]) + 1 if self._places else 0
        self._found.append(digests(rows))
        self._places.append(np.arange(begin, begin + len(rows)))

    def in_order(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the digests and the place of each, in the order of the places."""
        found, places = np.concatenate(self._found), np.concatenate(self._places)
        order = np.argsort(places, kind="stable")
        return found[order], places[order]

    def state(self) -> Mapping[str, np.ndarray]:
        """Return digests and places."""
        if not self._found:
            return {}
        found, places = self.in_order()
        return {"digests": found, "places": places}

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Take up digests of other places."""
        if state:
            self._found.append(state["digests"])
            self._places.append(state["places"])
