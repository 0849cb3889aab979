"""What is compared: models on backends from seeds, and where each lies in the folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.errors import UsageError
from genkit.files import read_json, write_json
from genkit.plan.plan import Plan

DEFAULT_FOLDER = Path("comparisons")
MOST_SAMPLES, FEWEST_SAMPLES, SAMPLES_A_STEP = 10_000, 500, 10
PARITY_STEPS = 20
# What may differ between the cells of a model: all else must be the same.
_OF_A_CELL = ("backend", "seed", "init")


@dataclass(frozen=True)
class Cell:
    """One training: a model on a backend, from the start that all backends share for a seed."""

    model: str
    backend: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.model}-{self.backend}-{self.seed}"


@dataclass(frozen=True)
class Comparison:
    """What is asked for, and the folder it is kept in.

    Args:
        folder: holds starts, cells, results, and what is told about them.
        plans: of each model, by name; backend and seed are replaced for each cell.
        backends: names, in the order they are told of; parity is against the first.
        seeds: how many; they are 0, 1, ...
        metrics: names of the metrics of quality; empty for those that suit the data; None to
            leave quality out.
        n: how many items are generated to measure quality.
        timeout: seconds that one process may take; None for no limit.
    """

    folder: Path
    plans: Mapping[str, Plan]
    backends: Sequence[str]
    seeds: int
    metrics: Sequence[str] | None = ()
    n: int = 10_000
    timeout: float | None = None

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise UsageError(f"Expected at least one seed; received {self.seeds}.")
        for model, plan in self.plans.items():
            if plan.time is not None:
                raise UsageError(
                    f"The plan of {model} ends by time, so that no two backends do the same.",
                    "Give it a number of steps: --steps N",
                )

    @property
    def cells(self) -> list[Cell]:
        """Every cell; all backends of a seed stand together, so that a stop leaves whole pairs.

        Each seed begins with another backend: a machine that grows slower by the hour would
        otherwise make whichever comes last look slow.
        """
        n = len(self.backends)
        return [
            Cell(model, self.backends[(place + seed) % n], seed)
            for model in self.plans
            for seed in range(self.seeds)
            for place in range(n)
        ]

    def plan(self, cell: Cell) -> Plan:
        """Return the plan of a cell: the model's, from the shared start."""
        shared = {"init": str(self.start(cell.model, cell.seed).resolve())}
        own = {"backend": cell.backend, "seed": cell.seed}
        return self.plans[cell.model].model_copy(update={**own, **shared})

    def start(self, model: str, seed: int) -> Path:
        """Return the run of no steps whose checkpoint every backend begins from."""
        return self.folder / "starts" / f"{model}-{seed}"

    def run(self, cell: Cell) -> Path:
        """Return the run directory of a cell."""
        return self.folder / "cells" / cell.name

    def result(self, kind: str, name: str) -> Path:
        """Return the file in which a process leaves what it measured."""
        return self.folder / "results" / f"{kind}-{name}.json"

    def claim(self) -> None:
        """Record what is compared here; what is there already must be the same.

        More backends, seeds or models may be asked for later: what is done stays done.

        Raises:
            UsageError: a model's plan is another than that of the cells which are there.
        """
        file = self.folder / "plans.json"
        asked = {
            model: {k: v for k, v in plan.model_dump(mode="json").items() if k not in _OF_A_CELL}
            for model, plan in self.plans.items()
        }
        there: dict[str, Any] = read_json(file) if file.exists() else {}
        for model in asked.keys() & there.keys():
            if asked[model] != there[model]:
                raise UsageError(
                    f"The comparison {self.folder} was begun with another plan of {model}: "
                    f"{_differing(there[model], asked[model])}.",
                    "Ask for the same again, or for a new comparison: --name NAME",
                )
        for folder in ("starts", "cells", "results"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        write_json(file, {**there, **asked})


def default_n(plans: Mapping[str, Plan]) -> int:
    """Return how many items to generate for quality: few where training is short.

    What 20 steps have made is told apart by hundreds of samples; thousands would take longer than
    all the rest.
    """
    steps = [plan.steps for plan in plans.values() if plan.steps is not None]
    if len(steps) < len(plans):  # it ends by epochs
        return MOST_SAMPLES
    return min(MOST_SAMPLES, max(FEWEST_SAMPLES, SAMPLES_A_STEP * max(steps)))


def comparison_name(plans: Mapping[str, Plan]) -> str:
    """Name a comparison after its models and data sets: the same command finds it again."""
    words = [*plans, *sorted({plan.dataset for plan in plans.values()})]
    return re.sub(r"[^\w.+-]", "-", "-".join(words))


def _differing(there: Any, asked: Any, place: str = "") -> str:
    """Name the settings that differ, with both values."""
    if isinstance(there, dict) and isinstance(asked, dict):
        keys = sorted(there.keys() | asked.keys())
        parts = [
            _differing(there.get(key), asked.get(key), f"{place}.{key}" if place else key)
            for key in keys
            if there.get(key) != asked.get(key)
        ]
        return ", ".join(parts)
    return f"{place} was {there!r}, now is {asked!r}"
