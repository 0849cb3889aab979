"""What a comparison is going to do, and how long it may take: said first, and better as it goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import mean

from genkit.builtin.zoo import zoo_models
from genkit.workflows.comparison.cells import PARITY_STEPS, Cell, Comparison
from genkit.workflows.jobs import Job

# Where nothing is measured yet; seconds on two cores.
_PROCESS = 8.0  # to start: imports, data, compilation
_A_STEP = 0.1
_A_SAMPLE = 0.004  # to generate and to measure
_REAL_ITEMS = 15.0  # to look at, whatever the number of samples


class Forecast:
    """How long jobs take: as those of their kind did, or at first as a rule of thumb has it.

    Args:
        comparison: what is asked for.
        done: jobs that were done before, with what they left.
    """

    def __init__(self, comparison: Comparison, done: Iterable[Job]) -> None:
        self._comparison = comparison
        self._seconds: dict[tuple[str, str, str], list[float]] = {}
        starts = {comparison.start(cell.model, cell.seed) for cell in comparison.cells}
        self._starts: set[Path] = {start for start in starts if start.exists()}
        for job in done:
            self.add(job)

    def add(self, job: Job) -> None:
        """Take up a job that is done."""
        seconds = job.found().get("process_seconds")
        if isinstance(seconds, (int, float)):
            self._seconds.setdefault(_kind(job), []).append(float(seconds))

    def seconds(self, jobs: Iterable[tuple[Cell, Job]]) -> float:
        """Return how long jobs may take, with the starts that they need."""
        total, starts = 0.0, set(self._starts)
        for cell, job in jobs:
            start = self._comparison.start(cell.model, cell.seed)
            if start not in starts:
                starts.add(start)
                total += _PROCESS
            total += self._one(cell, job)
        return total

    def _one(self, cell: Cell, job: Job) -> float:
        if _kind(job) in self._seconds:
            return mean(self._seconds[_kind(job)])
        if job.do == "evaluate":
            return _PROCESS + _REAL_ITEMS + self._comparison.n * _A_SAMPLE
        plan = self._comparison.plans[cell.model]
        steps = PARITY_STEPS if job.do == "parity" else plan.steps or 0
        return _PROCESS + steps * _step_seconds(cell.model)


def plan_sentence(
    comparison: Comparison, jobs: Sequence[tuple[Cell, Job]], seconds: float, at_once: int = 1
) -> str:
    """Say what is going to be done, and how long it may take."""
    counts = {do: sum(job.do == do for _, job in jobs) for do in ("train", "evaluate", "parity")}
    parts = []
    if counts["train"]:
        steps = {plan.steps for plan in comparison.plans.values()}
        of = f" of {steps.pop():,} steps" if len(steps) == 1 and None not in steps else ""
        parts.append(f"{_counted(counts['train'], 'training')}{of}")
    if counts["parity"]:
        parts.append(f"{_counted(counts['parity'], 'check')} of parity over {PARITY_STEPS} steps")
    if counts["evaluate"]:
        measured = f"{comparison.n:,} samples each (--n)"
        parts.append(f"{_counted(counts['evaluate'], 'measurement')} of quality, {measured}")
    if not parts:
        return "Nothing is left to do."
    processes = "One process" if at_once == 1 else f"{at_once} processes"
    return f"Plan: {', '.join(parts)}. {processes} at a time, {rough_time(seconds)} in all."


def rough_time(seconds: float) -> str:
    """Say a time that is only roughly known."""
    if seconds < 90:  # noqa: PLR2004
        return f"about {max(10, round(seconds, -1)):.0f} s"
    minutes = seconds / 60
    if minutes < 90:  # noqa: PLR2004
        return f"about {minutes:.0f} min"
    return f"about {minutes / 60:.1f} h"


def _kind(job: Job) -> tuple[str, str, str]:
    return job.do, str(job.plan["model"]), str(job.plan["backend"])


def _step_seconds(model: str) -> float:
    """Return the time of a step of this model in the zoo, or else of any."""
    for known in zoo_models():
        if known.model == model and known.steps:
            return known.seconds / known.steps
    return _A_STEP


def _counted(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
