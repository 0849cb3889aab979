"""What the files of a run say that a card tells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.errors import GenkitError, RunError
from genkit.evaluation.figure import Figure
from genkit.files import reason_of
from genkit.plan.plan import Plan
from genkit.plugins.registry import installed
from genkit.plugins.specs import DatasetSpec, ModelSpec
from genkit.report.card.markdown import plain
from genkit.runs.export import weights_file
from genkit.runs.names import step_name
from genkit.runs.run import Run
from genkit.runs.saved_model import stays_in_run

_OF_TRAINING = "training_fingerprint"
"""On the card of a figure that was measured on training items."""

_MEMORISATION = ("copies", "near-copies", "memorisation", "membership-inference")


@dataclass(frozen=True)
class Facts:
    """What the files of a run say."""

    plan: Plan
    environment: Mapping[str, Any]
    model: ModelSpec | None
    dataset: DatasetSpec | None
    size: int
    keeps_items: bool
    last: Mapping[str, Any]
    figures: Sequence[Figure]
    withheld: bool
    picture: Path | None
    measured_at: int | None
    protects_data: bool
    statement: Mapping[str, str]

    @classmethod
    def of(cls, run: Run) -> Facts:
        last = run.last_row() or {"step": 0, "seconds": 0.0}
        # Of the weights that the folder has.
        picture = run.samples / f"{step_name(int(last['step']))}.png"
        figures, measured_at = _figures(run)
        kept = stays_in_run(run.export)
        said = run.statement()
        # What is measured on protected items tells of them, with no noise on it.
        published = [f for f in figures if not (said.protects_data and _OF_TRAINING in f.card)]
        return cls(
            plan=run.plan,
            environment=run.environment(),
            model=_spec("models", run.plan.qualified("model")),
            dataset=_spec("datasets", run.plan.qualified("dataset")),
            size=0 if kept else _count_weights(weights_file(run.export)),
            keeps_items=kept,
            last=last,
            figures=published,
            withheld=len(published) < len(figures),
            # Grids of a run that protects its data stay in the run.
            picture=picture if picture.is_file() and not said.protects_data else None,
            measured_at=measured_at,
            protects_data=said.protects_data,
            statement={plain(key): plain(value) for key, value in said.facts.items()},
        )

    @property
    def items(self) -> int:
        return int(self.environment.get("data", {}).get("items", 0))

    @property
    def is_current(self) -> bool:
        """Whether the figures are of the weights that the model folder has."""
        return self.measured_at in (None, self.last["step"])

    @property
    def memorisation(self) -> list[Figure]:
        return [figure for figure in self.figures if figure.name in _MEMORISATION]


def _spec(kind: str, name: str) -> Any:
    try:
        return installed().find(kind, name).spec
    except GenkitError:
        return None  # the card can do without


def _figures(run: Run) -> tuple[Sequence[Figure], int | None]:
    """Read what was measured, and the step of the weights it was measured of, if that is said."""
    try:
        kept = run.figures()
        return [Figure.from_dict(row) for row in kept.rows], kept.step
    except RunError:
        return (), None  # the card is written as training ends: this must not fail the run


def _count_weights(path: Path) -> int:
    """Count the numbers in a safetensors file by its header alone."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as archive:
            return sum(math.prod(archive.get_slice(k).get_shape()) for k in archive.keys())  # noqa: SIM118 - it is no dict
    except (OSError, SafetensorError) as error:
        raise RunError(f"The file {path} can't be read: {reason_of(error)}.") from error
