"""A cell's figures, from its run directory and from what its processes have left."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from genkit.errors import GenkitError, RunError
from genkit.evaluation.figure import Figure
from genkit.files import finite
from genkit.runs.run import Run
from genkit.workflows.comparison import running
from genkit.workflows.comparison.cells import Cell, Comparison
from genkit.workflows.jobs import is_done

WINDOW = 10  # steps whose mean time is one observation of speed
FEWEST_STEPS = 4 * WINDOW  # the first window is left out: it has the compilation
_LAST_SHARE = 10  # the last tenth of the losses is averaged
_POINTS = 150  # of a curve that is drawn
_NO_LOSSES = ("step", "epoch", "seconds")


@dataclass(frozen=True)
class Measured:
    """What is known of a cell.

    Args:
        cell: which one.
        state: ``done``, ``failed`` or ``missing``.
        run: its run directory.
        error: why it failed, or why its quality is not known; empty if all is well.
        steps: training steps done.
        steps_per_second: 1 / the median time of a step; None for fewer than 40 steps. The median
            is over windows of 10 steps; the first window, with the compilation, is left out.
        seconds_to_first_step: from the start of the process until the first step was done.
        at_once: how many processes worked at a time; of several no speed is told.
        peak_memory_mib: largest resident memory of the process, on the host.
        losses: mean of each over the last tenth of the steps.
        quality: what ``genkit evaluate`` found.
        curves: of each loss, steps and means, thinned for drawing.
    """

    cell: Cell
    state: str
    run: Path
    error: str = ""
    steps: int = 0
    steps_per_second: float | None = None
    seconds_to_first_step: float | None = None
    at_once: int = 1
    peak_memory_mib: float | None = None
    losses: Mapping[str, float] = field(default_factory=dict)
    quality: tuple[Figure, ...] = ()
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "model": self.cell.model,
            "backend": self.cell.backend,
            "seed": self.cell.seed,
            "state": self.state,
            "error": self.error,
            "run": str(self.run),
            "steps": self.steps,
            "steps_per_second": self.steps_per_second,
            "seconds_to_first_step": self.seconds_to_first_step,
            "at_once": self.at_once,
            "peak_memory_mib": self.peak_memory_mib,
            "losses": finite(self.losses),
            "quality": [finite(figure.to_dict()) for figure in self.quality],
        }


def measure(comparison: Comparison, cell: Cell) -> Measured:
    """Read what a cell's processes have left."""
    path = comparison.run(cell)
    found = running.train_job(comparison, cell).found()
    if not is_done(found):
        error = found.get("error") or running.start_job(comparison, cell).found().get("error")
        return Measured(cell, "failed" if error else "missing", path, error or "")
    try:
        steps, seconds, losses = read_log(Run.open(path).iter_metrics())
    except GenkitError as damage:
        return Measured(cell, "failed", path, str(damage))
    quality: tuple[Figure, ...] = ()
    error, at_once = "", found.get("at_once", 1)
    if comparison.metrics is not None:
        judged = running.evaluate_job(comparison, cell).found()
        quality = tuple(map(Figure.from_dict, judged.get("figures", ())))
        if "error" in judged:
            error = f"its quality could not be measured: {judged['error']}"
    return Measured(
        cell,
        "done",
        path,
        error,
        steps=int(steps[-1]) if len(steps) else 0,
        steps_per_second=speed(seconds) if at_once == 1 else None,
        seconds_to_first_step=found.get("seconds_to_first_step") if at_once == 1 else None,
        at_once=at_once,
        peak_memory_mib=found.get("peak_memory_mib"),
        losses={name: final(values) for name, values in losses.items()},
        quality=quality,
        curves={name: (_thinned(steps), _thinned(values)) for name, values in losses.items()},
    )


def read_log(
    rows: Iterable[Mapping[str, Any]],
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Read a run's log, eight bytes a number.

    Returns:
        steps, seconds and each loss, of the shape ``(rows,)``; NaN where a loss had no number.
    """
    columns: dict[str, array[float]] = {}
    for number, row in enumerate(rows):
        for name in row:
            if name not in columns:
                columns[name] = array("d", [np.nan] * number)
        for name, column in columns.items():
            value = row.get(name)
            column.append(value if isinstance(value, (int, float)) else np.nan)
    read = {name: np.asarray(column) for name, column in columns.items()}
    empty = np.empty(0)
    losses = {name: values for name, values in read.items() if name not in _NO_LOSSES}
    return read.get("step", empty), read.get("seconds", empty), losses


def speed(seconds: np.ndarray) -> float | None:
    """Return the steps a second; see ``Measured.steps_per_second``.

    Args:
        seconds: training time after each step, shape ``(steps,)``.
    """
    if len(seconds) < FEWEST_STEPS:
        return None
    ends = seconds[WINDOW - 1 :: WINDOW]
    median = float(np.median([later - earlier for earlier, later in pairwise(ends)]))
    return WINDOW / median if median > 0 else None


def final(values: np.ndarray) -> float:
    """Return the mean over the last tenth, of one value at least."""
    return float(np.mean(values[-max(1, len(values) // _LAST_SHARE) :]))


def parities(comparison: Comparison) -> list[dict[str, Any]]:
    """Compare the first losses of each backend with those of the first one that has any.

    Returns:
        for each model and further backend ``model``, ``backend``, ``against``, what
        ``largest_difference`` gives, and ``random_layers`` left; or ``error``.
    """
    from genkit.workflows.comparison.parity import largest_difference

    pairs: list[dict[str, Any]] = []
    for model in comparison.plans:
        against: tuple[str, dict[str, Any]] | None = None
        for backend in comparison.backends:
            found = running.parity_job(comparison, Cell(model, backend, 0)).found()
            named = {"model": model, "backend": backend}
            if not is_done(found):
                pairs.append({**named, "error": found.get("error", "not measured yet")})
            elif against is None:
                against = backend, found
            else:
                pair = {**named, "against": against[0], "random_layers": found["random_layers"]}
                try:
                    pair |= largest_difference(against[1]["rows"], found["rows"])
                except RunError as error:
                    pair["error"] = str(error)
                pairs.append(pair)
    return pairs


def _thinned(values: np.ndarray) -> np.ndarray:
    parts = np.array_split(values, min(_POINTS, len(values)) or 1)
    return np.asarray([part.mean() for part in parts if len(part)])
