"""A section of generated items beside real ones in sums, as a model's own plugin draws them."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from genkit.models.outputs import concatenated
from genkit.report.inputs import ReportInputs, evenly_by_field
from genkit.report.readable import picked
from genkit.report.sections import Section, joined, parts

_ITEMS = 2000


def contrasts(inputs: ReportInputs) -> Section | None:
    """Show what a model that can ``contrast`` draws of generated and real items."""
    if not inputs.can("contrast") or inputs.real is None or inputs.protects_data:
        return None
    inputs.tell("How they differ")
    model: Any = inputs.model
    made = concatenated(list(model.generate_items(_ITEMS, inputs.run.plan.seed)))
    allowed = inputs.allowed(made)
    made = {name: picked(items, allowed) for name, items in made.items()}
    real = evenly_by_field(inputs.real, inputs.fields, _ITEMS)
    whose = "held-out ones" if inputs.held_out is not None else "ones of the training data"
    words = f"{np.sum(allowed):,} generated items beside {len(real[inputs.field]):,} real, {whose}."
    pieces = [parts().text(words)]
    for title, drawn in model.contrast(made, real).items():
        pieces.append(parts().heading(title))
        pieces.append(Markup(drawn))  # noqa: S704 - the plugin escapes what it shows
    return Section("How they differ", joined(pieces))
