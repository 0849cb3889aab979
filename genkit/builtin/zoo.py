"""What the zoo's models have: the reference results of docs/zoo.md, to stand beside one's own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from genkit.builtin.model_specs import MODELS

_ALIKE = ("against", "split", "extractor_hash")
"""What of a card must be equal for figures to stand beside each other; counts are told."""


@dataclass(frozen=True)
class ZooModel:
    """A model of the zoo, measured.

    Args:
        model: its name.
        data: the data set it was trained on.
        preset: by which it was trained.
        steps: of training.
        seconds: of training, on the machine of docs/zoo.md.
        figures: values by name, means over what was trained.
        card: what all the figures' cards say alike.
    """

    model: str
    data: str
    preset: str
    steps: int
    seconds: float
    figures: Mapping[str, float]
    card: Mapping[str, Any]


class ZooFigure(Protocol):
    """A figure: its name, and how it was measured."""

    @property
    def name(self) -> str:
        """What was measured."""

    @property
    def card(self) -> Mapping[str, Any]:
        """Everything about how it was measured that changes it, but the model."""


@cache
def zoo_models() -> tuple[ZooModel, ...]:
    """Return the models of the zoo whose presets are still what they were trained by."""
    rows = json.loads((files(__package__) / "zoo.json").read_text(encoding="utf-8"))
    return tuple(
        ZooModel(**row)
        for row in rows
        if row.pop("recipe") == preset_of(row["model"], row["preset"])
    )


def preset_of(model: str, preset: str) -> dict[str, Any] | None:
    """Return a preset of a built-in model as JSON would have it; None if there is none."""
    found = next((spec.presets.get(preset) for spec in MODELS if spec.name == model), None)
    return None if found is None else json.loads(json.dumps(found, default=dict))


def find_zoo_model(model: str, data: str, preset: str = "default") -> ZooModel | None:
    """Return a model of the zoo: of this preset, or else the default one; None if it has none."""
    fitting = {m.preset: m for m in zoo_models() if (m.model, m.data) == (model, data)}
    return fitting.get(preset) or fitting.get("default")


def beside(found: ZooModel | None, figures: Sequence[ZooFigure]) -> dict[str, float]:
    """Return the zoo's values by name, of those figures that were measured alike but for counts."""
    if found is None:
        return {}
    return {
        figure.name: found.figures[figure.name]
        for figure in figures
        if figure.name in found.figures
        and all(figure.card.get(key) in (None, found.card.get(key)) for key in _ALIKE)
    }
