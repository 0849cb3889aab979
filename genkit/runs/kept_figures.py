"""``evaluation.json``: the figures of one set of weights, of a run or of an exported model.

    {"step": 500, "weights": "<SHA-256>", "metrics": [{"name", "value", "low", "high", ...}]}

Here they are rows of JSON; ``genkit.evaluation.results`` knows what a figure is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.errors import RunError
from genkit.files import read_json, write_json

FIGURES_FILE = "evaluation.json"
_REMEDY = "Delete it, and measure again: genkit evaluate RUN"


@dataclass(frozen=True)
class KeptFigures:
    """What was measured of a set of weights.

    Args:
        rows: each figure in its JSON form.
        step: that the weights have done; None for an exported model, or if it is not said.
        weights: SHA-256 of their file; empty if it is not said.
    """

    rows: Sequence[Mapping[str, Any]] = ()
    step: int | None = None
    weights: str = ""


def read_figures(folder: Path) -> KeptFigures:
    """Read a folder's figures; none where there is no file.

    Raises:
        RunError: the file is damaged.
    """
    file = folder / FIGURES_FILE
    if not file.exists():
        return KeptFigures()
    data = read_json(file, _REMEDY)
    rows, step, weights = data.get("metrics"), data.get("step"), data.get("weights", "")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise RunError(f"The file {file} is damaged: expected a list 'metrics'.", _REMEDY)
    if type(step) not in {int, type(None)} or not isinstance(weights, str):
        raise RunError(f"The file {file} is damaged: it doesn't say of which weights.", _REMEDY)
    return KeptFigures(rows, step, weights)


def write_figures(folder: Path, kept: KeptFigures) -> None:
    """Write a folder's figures, replacing those there."""
    about = {"step": kept.step, "weights": kept.weights}
    write_json(folder / FIGURES_FILE, {**about, "metrics": list(kept.rows)})
