"""The one number that stands for a run where there is room for one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from genkit.plugins.registry import installed
from genkit.runs.kept_figures import KeptFigures

_FIRST = ("fid", "frechet")
"""Figures that stand before all others, whosever features they are of: ``frechet (bands)``; then
those that plugins' metrics want looked at first; else it is the first that was measured."""


@dataclass(frozen=True)
class Headline:
    """A run's headline figure: measured of its samples, or else a loss.

    Args:
        name: of the figure or the loss.
        value: None where it isn't finite.
        low: lower end of its 95 % interval; None for a loss.
        high: upper end.
        direction: which way is better, ``"min"`` or ``"max"``; empty for a loss.
        step: of the weights that it was measured of, where they are older than the run's last step.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    direction: str = ""
    step: int | None = None

    @property
    def is_measured(self) -> bool:
        """Whether it is a figure, and no loss."""
        return self.direction != ""

    def __str__(self) -> str:
        value = "nan" if self.value is None else f"{self.value:.3g}"
        return f"{self.name} {value}{'' if self.step is None else f' @{self.step}'}"

    def to_dict(self) -> dict[str, Any]:
        """Return the form that ``genkit runs --json`` prints."""
        return asdict(self)


def headline(figures: KeptFigures, losses: Mapping[str, Any], step: int) -> Headline | None:
    """Choose a run's headline figure; None if it has neither figures nor losses.

    Args:
        figures: what was measured of its weights.
        losses: of its last step.
        step: the run's last.
    """
    rows = [row for row in figures.rows if row.get("name") and row.get("direction")]
    first = [*_FIRST, *installed().headline()]
    rows.sort(key=lambda row: _place(first, row["name"]))
    if rows:
        row = rows[0]
        value, low, high = (_number(row.get(key)) for key in ("value", "low", "high"))
        older = figures.step if figures.step != step else None
        return Headline(str(row["name"]), value, low, high, str(row["direction"]), older)
    name = "loss" if "loss" in losses else next(iter(losses), None)
    return None if name is None else Headline(name, _number(losses[name]))


def _place(first: Sequence[str], name: str) -> int:
    """Return a figure's place in a list, whosever features it is of, or that behind the last."""
    plain = name.partition(" (")[0]
    return first.index(plain) if plain in first else len(first)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None
