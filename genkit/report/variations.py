"""A section of what a model's items become when something about them is turned up or down."""

from __future__ import annotations

from typing import Any

import numpy as np

from genkit.errors import PluginError
from genkit.report.inputs import ReportInputs
from genkit.report.renderers import render
from genkit.report.sections import Section, joined, parts

_ITEMS, _STEPS = 6, 7  # report.css has a rule for each step


def variations(inputs: ReportInputs) -> Section | None:
    """Show items moved along what the model names, with a slider for each that needs no script."""
    if not inputs.can("vary"):
        return None
    inputs.tell("Variations")
    model: Any = inputs.model
    sliders = []
    for number, (name, rows) in enumerate(model.vary(_ITEMS, _STEPS).items()):
        if rows.shape[:2] != (_ITEMS, _STEPS):
            raise PluginError(
                f"Expected vary to give {_ITEMS} items at {_STEPS} steps; received {rows.shape}."
            )
        frames = []
        for step, column in enumerate(np.swapaxes(rows, 0, 1)):
            alt = f"{name}, {step + 1} of {_STEPS}"
            shown = inputs.reviewed({inputs.field: column})[inputs.field]
            drawn = render(
                model.schema, inputs.field, shown, alt, columns=_ITEMS, assets=inputs.assets
            )
            frames.append((alt, drawn))
        sliders.append(parts().slider(f"slider-{number}", name, frames))
    words = f"The same {_ITEMS} items, moved. In the middle is what the model draws by itself."
    return Section("Variations", joined([parts().text(words), *sliders]))
