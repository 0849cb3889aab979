"""Progress of an evaluation, on stderr: one live line, or a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from genkit.evaluation.metric import Batch
from genkit.live import LiveLine, Pace, Status, print_line

_Batch = TypeVar("_Batch", bound=Batch)


class EvaluationProgress:
    """Shows what is looked at, and what is computed of it.

    Args:
        shown: whether at all.
    """

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._status = Status("")
        self._line: LiveLine | None = None

    def note(self, text: str) -> None:
        """Print a line that stays."""
        if self._shown:
            print_line(text)

    def computing(self, what: str) -> None:
        """Show that something is computed whose end can't be told."""
        self._show(Status("", waiting=f"computing {what}"), at_once=True)

    def through(self, batches: Iterable[_Batch], what: str, total: int) -> Iterator[_Batch]:
        """Return the batches, and show how many of ``total`` items have been seen."""
        done, pace, ended = 0, Pace(), time.monotonic()
        self._show(Status(what, 0, total, 0.0))
        for batch in batches:
            yield batch
            done += len(batch)
            now = time.monotonic()
            pace.add((now - ended) / max(len(batch), 1))
            each, ended = pace.seconds(), now
            left = None if each is None else (total - done) * each
            self._show(Status(what, done, total, done / max(total, 1), left))

    def close(self) -> None:
        """Release the terminal, however it ended."""
        if self._line is not None:
            self._line.close()
            self._line = None

    def _show(self, status: Status, *, at_once: bool = False) -> None:
        self._status = status
        if self._shown:
            self._line = self._line or LiveLine(lambda: self._status)
            self._line.tick(at_once=at_once)
