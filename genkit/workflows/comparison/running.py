"""All processes of a comparison, by default one at a time: two disturb each other's speed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from genkit.files import check_path, read_json, write_json
from genkit.models.training.signals import StopOnSignal
from genkit.plan.plan import Plan
from genkit.runs import locks
from genkit.workflows.comparison.cells import PARITY_STEPS, Cell, Comparison
from genkit.workflows.comparison.forecast import Forecast, plan_sentence, rough_time
from genkit.workflows.jobs import Job, carry_out, check_at_once, is_done, several_at_once

_WORKER = "genkit.workflows.comparison.worker"
_DOING = {"train": "training", "parity": "parity of", "evaluate": "quality of"}


def run_comparison(comparison: Comparison, tell: Callable[[str], None], at_once: int = 1) -> int:
    """Do what isn't done yet.

    Args:
        comparison: what is asked for.
        tell: takes a line of progress.
        at_once: how many processes work at a time.

    Returns:
        the number of the signal that stopped it, or 0.

    Raises:
        UsageError: the folder can't be made, or holds a comparison of other plans.
        RunError: another process works in the folder.
    """
    check_at_once(at_once)
    folder = comparison.folder
    check_path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    owner = folder / "owner.json"
    with (
        locks.holding(folder / ".lock", f"The comparison {folder}", lambda: _read(owner)),
        StopOnSignal() as stop,
    ):
        write_json(owner, {"pid": os.getpid(), "host": socket.gethostname()})
        comparison.claim()
        _Sitting(comparison, tell, stop, at_once).carry_out()
        return stop.received


class _Sitting:
    """What a comparison does until it is done or stopped: chains of jobs, each after the last."""

    def __init__(
        self,
        comparison: Comparison,
        tell: Callable[[str], None],
        stop: StopOnSignal,
        at_once: int,
    ) -> None:
        self._comparison, self._tell, self._stop, self._at_once = comparison, tell, stop, at_once
        self._chains = list(_chains(comparison))
        steps = [(cell, job) for cell, jobs in self._chains for job in jobs]
        self._numbers = {job.result: number for number, (_, job) in enumerate(steps, 1)}
        self._waiting = [(cell, job) for cell, job in steps if not is_done(job.found())]
        self._forecast = Forecast(comparison, (job for _, job in steps))
        self._starts: dict[Path, str] = {}
        self._start_locks = {
            comparison.start(cell.model, cell.seed): Lock() for cell in comparison.cells
        }

    def carry_out(self) -> None:
        all_, left = len(self._numbers), len(self._waiting)
        if left < all_:
            self._tell(f"{all_ - left} of {all_} measurements are there already.")
        seconds = self._forecast.seconds(self._waiting) / self._at_once
        self._tell(plan_sentence(self._comparison, self._waiting, seconds, self._at_once))
        tasks = [partial(self._in_turn, cell, jobs) for cell, jobs in self._chains]
        several_at_once(tasks, self._at_once)

    def _in_turn(self, cell: Cell, jobs: Sequence[Job], place: int) -> None:
        """Do the jobs of a chain that aren't done, until one fails."""
        for job in jobs:
            if self._stop.received:
                return
            if is_done(job.found()):
                continue
            if not self._one(cell, job, place):
                return

    def _one(self, cell: Cell, job: Job, place: int) -> bool:
        """Do a job, and say so; return whether it is done."""
        where = f"[{self._numbers[job.result]}/{len(self._numbers)}]"
        comparison, stop = self._comparison, self._stop
        if job.do != "evaluate" and (error := self._start_error(cell, place)):
            self._tell(f"{where} failed: {error}")
            return False
        what = f"{_DOING[job.do]} {cell.model} on {cell.backend}"
        seed = "" if job.do == "parity" else f", seed {cell.seed}"
        left = self._forecast.seconds(self._waiting) / self._at_once
        self._tell(f"{where} {what}{seed}; {rough_time(left)} left")
        found = carry_out(job, stop, comparison.timeout, place, self._at_once)
        self._forecast.add(job)
        self._waiting = [(each, other) for each, other in self._waiting if other is not job]
        if not (is_done(found) or stop.received):
            self._tell(f"{where} failed: {found.get('error')}")
        return is_done(found)

    def _start_error(self, cell: Cell, place: int) -> str:
        """Make the start that a cell shares, if it isn't there; say why it can't be made."""
        comparison = self._comparison
        start = comparison.start(cell.model, cell.seed)
        with self._start_locks[start]:
            for backend in comparison.backends if start not in self._starts else ():
                job = start_job(comparison, Cell(cell.model, backend, cell.seed))
                found = carry_out(job, self._stop, comparison.timeout, place)
                error = str(found.get("error", "it was stopped"))
                self._starts[start] = "" if is_done(found) else error
                if not self._starts[start] or self._stop.received:
                    break  # the first backend that can make it makes it for all
            return self._starts[start]


def start_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that makes the start of a cell's model and seed."""
    plan = comparison.plan(cell).model_copy(update={"init": None, **_length(0)})
    name = f"{cell.model}-{cell.seed}"
    run_ = comparison.start(cell.model, cell.seed)
    return Job(_WORKER, "start", comparison.result("start", name), run_, _json(plan))


def train_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that trains a cell."""
    result = comparison.result("train", cell.name)
    return Job(_WORKER, "train", result, comparison.run(cell), _json(comparison.plan(cell)))


def parity_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that measures the first losses of a model on a backend."""
    bare: dict[str, Any] = {"precision": "float32", "callbacks": {}, "keep_best": None, "watch": ()}
    changed = {**_length(PARITY_STEPS), **bare}
    plan = comparison.plan(cell).model_copy(update=changed)
    result = comparison.result("parity", f"{cell.model}-{cell.backend}")
    return Job(
        _WORKER, "parity", result, comparison.run(cell), _json(plan), {"steps": PARITY_STEPS}
    )


def evaluate_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that measures the quality of a trained cell."""
    settings = {"metrics": list(comparison.metrics or ()), "n": comparison.n}
    result = comparison.result("evaluate", cell.name)
    plan = _json(comparison.plan(cell))
    return Job(
        _WORKER,
        "evaluate",
        result,
        comparison.run(cell),
        plan,
        settings,
        verbose=cell == comparison.cells[0],
    )


def _chains(comparison: Comparison) -> Iterator[tuple[Cell, list[Job]]]:
    """Return the jobs in order: parity first, for what differs there differs later.

    Those of one chain need each other: a model is judged when it is trained.
    """
    begun: set[str] = set()
    for cell in comparison.cells:
        if cell.model not in begun:
            begun.add(cell.model)
            for backend in comparison.backends:
                first = Cell(cell.model, backend, 0)
                yield first, [parity_job(comparison, first)]
        judged = [] if comparison.metrics is None else [evaluate_job(comparison, cell)]
        yield cell, [train_job(comparison, cell), *judged]


def _length(steps: int) -> dict[str, Any]:
    return {"steps": steps, "epochs": None, "time": None}


def _json(plan: Plan) -> dict[str, Any]:
    return plan.model_dump(mode="json")


def _read(owner: Path) -> dict[str, Any]:
    return read_json(owner) if owner.exists() else {}
