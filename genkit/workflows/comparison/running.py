"""All processes of a comparison, one at a time: two would disturb each other's speed."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from genkit.files import check_path, read_json, write_json
from genkit.models.training.signals import StopOnSignal
from genkit.plan.plan import Plan
from genkit.runs import locks
from genkit.workflows.comparison.cells import PARITY_STEPS, Cell, Comparison
from genkit.workflows.comparison.forecast import Forecast, plan_sentence, rough_time
from genkit.workflows.comparison.processes import Job, carry_out, is_done

_DOING = {"train": "training", "parity": "parity of", "evaluate": "quality of"}


def run_comparison(comparison: Comparison, tell: Callable[[str], None]) -> int:
    """Do what isn't done yet.

    Args:
        comparison: what is asked for.
        tell: takes a line of progress.

    Returns:
        the number of the signal that stopped it, or 0.

    Raises:
        UsageError: the folder can't be made, or holds a comparison of other plans.
        RunError: another process works in the folder.
    """
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
        steps = list(_steps(comparison))
        waiting = [(cell, job) for cell, job in steps if not is_done(job.found())]
        if len(waiting) < len(steps):
            tell(f"{len(steps) - len(waiting)} of {len(steps)} measurements are there already.")
        forecast = Forecast(comparison, (job for _, job in steps))
        tell(plan_sentence(comparison, waiting, forecast.seconds(waiting)))
        starts: dict[Path, str] = {}
        over: list[Job] = []
        for number, (cell, job) in enumerate(steps, 1):
            if stop.received:
                break
            if is_done(job.found()):
                continue
            if job.do == "evaluate":
                if not is_done(train_job(comparison, cell).found()):
                    continue
            elif error := _start_error(comparison, cell, starts, stop):
                tell(f"[{number}/{len(steps)}] failed: {error}")
                continue
            what = f"{_DOING[job.do]} {cell.model} on {cell.backend}"
            seed = "" if job.do == "parity" else f", seed {cell.seed}"
            left = rough_time(forecast.seconds(each for each in waiting if each[1] not in over))
            tell(f"[{number}/{len(steps)}] {what}{seed}; {left} left")
            found = carry_out(job, stop, comparison.timeout)
            forecast.add(job)
            over.append(job)
            if not (is_done(found) or stop.received):
                tell(f"[{number}/{len(steps)}] failed: {found.get('error')}")
        return stop.received


def start_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that makes the start of a cell's model and seed."""
    plan = comparison.plan(cell).model_copy(update={"init": None, **_length(0)})
    name = f"{cell.model}-{cell.seed}"
    run_ = comparison.start(cell.model, cell.seed)
    return Job("start", comparison.result("start", name), run_, _json(plan))


def train_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that trains a cell."""
    result = comparison.result("train", cell.name)
    return Job("train", result, comparison.run(cell), _json(comparison.plan(cell)))


def parity_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that measures the first losses of a model on a backend."""
    bare: dict[str, Any] = {"precision": "float32", "callbacks": {}, "keep_best": None, "watch": ()}
    changed = {**_length(PARITY_STEPS), **bare}
    plan = comparison.plan(cell).model_copy(update=changed)
    result = comparison.result("parity", f"{cell.model}-{cell.backend}")
    return Job("parity", result, comparison.run(cell), _json(plan), {"steps": PARITY_STEPS})


def evaluate_job(comparison: Comparison, cell: Cell) -> Job:
    """Return the job that measures the quality of a trained cell."""
    settings = {"metrics": list(comparison.metrics or ()), "n": comparison.n}
    result = comparison.result("evaluate", cell.name)
    plan = _json(comparison.plan(cell))
    return Job(
        "evaluate",
        result,
        comparison.run(cell),
        plan,
        settings,
        verbose=cell == comparison.cells[0],
    )


def _steps(comparison: Comparison) -> Iterator[tuple[Cell, Job]]:
    """Return the jobs in order: parity first, for what differs there differs later."""
    begun: set[str] = set()
    for cell in comparison.cells:
        if cell.model not in begun:
            begun.add(cell.model)
            for backend in comparison.backends:
                first = Cell(cell.model, backend, 0)
                yield first, parity_job(comparison, first)
        yield cell, train_job(comparison, cell)
        if comparison.metrics is not None:
            yield cell, evaluate_job(comparison, cell)


def _start_error(
    comparison: Comparison, cell: Cell, starts: dict[Path, str], stop: StopOnSignal
) -> str:
    """Make the start that a cell shares, if it isn't there; say why it can't be made.

    Args:
        comparison: what is asked for.
        cell: its model and seed count.
        starts: what was said of those that were tried before, for this command.
        stop: watched meanwhile.
    """
    start = comparison.start(cell.model, cell.seed)
    for backend in comparison.backends if start not in starts else ():
        job = start_job(comparison, Cell(cell.model, backend, cell.seed))
        found = carry_out(job, stop, comparison.timeout)
        starts[start] = "" if is_done(found) else str(found.get("error", "it was stopped"))
        if not starts[start] or stop.received:
            break  # the first backend that can make it makes it for all
    return starts[start]


def _length(steps: int) -> dict[str, Any]:
    return {"steps": steps, "epochs": None, "time": None}


def _json(plan: Plan) -> dict[str, Any]:
    return plan.model_dump(mode="json")


def _read(owner: Path) -> dict[str, Any]:
    return read_json(owner) if owner.exists() else {}
