"""Progress of an evaluation, on stderr: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from genkit.evaluation.metric import Batch

_PLAIN_SECONDS = 10.0
_Batch = TypeVar("_Batch", bound=Batch)


class EvaluationProgress:
    """Shows what is looked at.

    Args:
        shown: whether at all.
    """

    def __init__(self, shown: bool) -> None:
        self._shown = shown
        self._console = Console(stderr=True)

    def note(self, text: str) -> None:
        """Print a line."""
        if self._shown:
            with suppress(OSError):  # nobody reads it any more
                print(text, file=sys.stderr, flush=True)  # noqa: T201

    def through(self, batches: Iterable[_Batch], what: str, total: int) -> Iterator[_Batch]:
        """Return the batches, and show how many of ``total`` items have been seen."""
        if self._shown and self._console.is_terminal:
            yield from self._with_bar(batches, what, total)
        else:
            yield from self._with_lines(batches, what, total)

    def _with_bar(self, batches: Iterable[_Batch], what: str, total: int) -> Iterator[_Batch]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=self._console, transient=True) as bar:
            task = bar.add_task(what, total=total)
            for batch in batches:
                yield batch
                bar.advance(task, len(batch))

    def _with_lines(self, batches: Iterable[_Batch], what: str, total: int) -> Iterator[_Batch]:
        done, last_line = 0, time.monotonic()
        for batch in batches:
            yield batch
            done += len(batch)
            if time.monotonic() - last_line > _PLAIN_SECONDS:
                last_line = time.monotonic()
                self.note(f"{what}: {done} of {total}")
