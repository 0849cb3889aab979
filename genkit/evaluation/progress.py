"""Progress of an evaluation, on stderr: one live line, or a line now and then in a log."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from genkit.evaluation.metric import Batch
from genkit.live import LiveLine, Pace, Status, print_line

_Batch = TypeVar("_Batch", bound=Batch)


class EvaluationProgress:
    """Shows what is looked at.

    Args:
        shown: whether at all.
    """

    def __init__(self, shown: bool) -> None:
        self._shown = shown

    def note(self, text: str) -> None:
        """Print a line."""
        if self._shown:
            print_line(text)

    def through(self, batches: Iterable[_Batch], what: str, total: int) -> Iterator[_Batch]:
        """Return the batches, and show how many of ``total`` items have been seen."""
        if not self._shown:
            yield from batches
            return
        done, each, pace, ended = 0, 0.0, Pace(), time.monotonic()

        def status() -> Status:
            left = None if not each else (total - done) * each
            return Status(what, done, total, done / max(total, 1), left)

        line = LiveLine(status)
        try:
            for batch in batches:
                yield batch
                done += len(batch)
                now = time.monotonic()
                pace.add((now - ended) / max(len(batch), 1))
                each, ended = pace.seconds() or 0.0, now
                line.tick()
        finally:
            line.close()
