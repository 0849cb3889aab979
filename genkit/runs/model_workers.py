"""Several processes that generate a model's items together: the same items, in the same order."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from queue import Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, Self

from genkit.errors import GenkitError, RunError, UsageError
from genkit.plan.activation import active_backend
from genkit.plan.devices import variables_for
from genkit.runs.loading import path_of
from genkit.runs.names import is_export

if TYPE_CHECKING:
    import numpy as np

    from genkit.models.conditional import Label
    from genkit.models.model import Model
    from genkit.runs.loading import HasPath

CHUNK = 4
"""Batches that a worker generates until it is the next one's turn, and that may wait."""
_WORKER = (sys.executable, "-m", "genkit.runs.model_worker")
_LOOK_SECONDS = 0.2


class ModelWorkers:
    """Processes that each load a trained model, and take turns at its batches.

    An item follows from its seed and its place, so they are those of one process, to the bit. Each
    has as many threads as one process alone: what they bring is use of cores and devices that one
    leaves idle. On several CUDA devices that ``CUDA_VISIBLE_DEVICES`` lists each takes one in turn.

    Args:
        path: as ``genkit.load`` takes it.
        model: the model that was loaded from there.
        count: how many processes, at least 1. They start with the first request, and end with the
            ``with`` block.

    Raises:
        UsageError: fewer than one.

    Example:
        >>> with ModelWorkers(path, model, 4) as workers:  # doctest: +SKIP
        ...     for batch in workers.generate_items(1_000_000, seed=1):
        ...         print(batch["image"].shape)
    """

    def __init__(self, path: HasPath | str | Path, model: Model, count: int) -> None:
        if count < 1:
            raise UsageError(f"Expected at least one worker; received {count}.")
        self._model, self._count, folder = model, count, path_of(path)
        self._order = {
            "path": str(folder),
            "backend": active_backend(),
            "checkpoint": None if is_export(folder) else model.trained_steps,
            "batch": model.generation_batch,
        }
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End the processes; another request starts new ones."""
        for worker in self._workers:
            worker.end()
        self._workers = []

    def generate_items(
        self,
        n: int,
        seed: int = 0,
        label: Label = None,
        *,
        given: Mapping[str, Any] | None = None,
        begin: int = 0,
        **options: Any,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Generate what ``Model.generate_items`` does.

        Raises:
            GenkitError: as that does, before anything is generated; or what a worker met.
            RunError: a worker died.
        """
        asked: dict[str, Any] = {"n": n, "seed": seed, "label": label, "given": given, **options}
        self._model.generate_items(**asked, begin=begin)  # what is wrong with it is told here
        return self._generated({**asked, "begin": begin})

    def _generated(self, asked: Mapping[str, Any]) -> Iterator[dict[str, np.ndarray]]:
        if not self._workers:
            self._workers = [_Worker(self._order, rank) for rank in range(self._count)]
        for rank, worker in enumerate(self._workers):
            worker.ask({"asked": dict(asked), "rank": rank, "count": self._count})
        batches = -(-(asked["n"] - asked["begin"]) // self._model.generation_batch)
        done = False
        try:
            for number in range(batches):
                yield self._workers[number // CHUNK % self._count].take()
            done = True
        finally:
            if not done:  # what they have made for this request must not be taken for another's
                self.end()


def workers_for(
    path: Path, model: Model, count: int
) -> AbstractContextManager[ModelWorkers | None]:
    """Return a context with that many workers; with none for one: the model generates by itself."""
    return nullcontext() if count == 1 else ModelWorkers(path, model, count)


class _Worker:
    """One process, and the batches it has made that nobody has taken yet."""

    def __init__(self, order: Mapping[str, Any], rank: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            _WORKER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **variables_for(rank)},
        )
        self._made: Queue[Any] = Queue(CHUNK)
        self._ended = Event()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.ask(order)

    def ask(self, what: Any) -> None:
        """Send an order or a request; one that has died is told of when it is its turn."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            pickle.dump(what, self._process.stdin)
            self._process.stdin.flush()

    def take(self) -> dict[str, np.ndarray]:
        """Return its next batch."""
        kind, what = self._made.get()
        if kind == "items":
            items: dict[str, np.ndarray] = what
            return items
        if kind == "error":
            raise GenkitError(*what)
        raise RunError(
            f"A worker ended with exit code {self._process.wait()} before it had made its items.",
            "Its last words are above. If the memory was too small, take fewer --workers.",
        )

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._ended.set()
        self._process.kill()
        with suppress(BrokenPipeError), self._process:  # closes its pipes and waits
            self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        while True:
            try:
                # From our own process, which unpickles nothing that isn't ours either.
                found = pickle.load(self._process.stdout)  # noqa: S301
            except (EOFError, OSError, pickle.UnpicklingError):
                found = ("end", None)
            self._put(found)
            if found[0] == "end" or self._ended.is_set():
                return

    def _put(self, found: Any) -> None:
        """Let it wait until there is room, unless nobody will take it any more."""
        while not self._ended.is_set():
            with suppress(Full):
                self._made.put(found, timeout=_LOOK_SECONDS)
                return
