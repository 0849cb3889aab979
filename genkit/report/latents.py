"""Sections of what passes through a latent: reconstructions and interpolations."""

from __future__ import annotations

from typing import Any

import numpy as np
from markupsafe import Markup

from genkit.report.inputs import ReportInputs, evenly
from genkit.report.renderers import render, shown_together
from genkit.report.sections import Section, joined, parts

_PAIRS = 10
_WALKS, _STEPS = 5, 10


def reconstructions(inputs: ReportInputs) -> Section | None:
    """Show items above what is left of them on their way through the latent."""
    model: Any = inputs.model
    if not inputs.can("reconstruct") or inputs.real is None:
        return None
    inputs.tell("Reconstructions")
    together = shown_together(model.schema, inputs.field)
    items, fields = evenly(inputs.real, inputs.field, together or _PAIRS)
    made = model.reconstruct(items, **_label(model, fields, len(items)))
    found = inputs.reviewed({inputs.field: made})[inputs.field]
    both = np.concatenate([items.astype(np.float32), found])
    what = "held-out items" if inputs.held_out else "training items"
    first, second = ("Left", "right") if together else ("Above", "below")
    alt = f"{first}: {what}; {second}: their reconstructions"
    drawn = render(model.schema, inputs.field, both, alt, columns=len(items), assets=inputs.assets)
    return Section("Reconstruction pairs", joined([_wide(drawn), parts().text(f"{alt}.")]))


def interpolations(inputs: ReportInputs) -> Section | None:
    """Show walks from items to others, in a straight line between their latents."""
    model: Any = inputs.model
    if not inputs.can("interpolate") or inputs.real is None or len(inputs.real) < 2 * _WALKS:
        return None
    inputs.tell("Interpolations")
    items, fields = evenly(inputs.real, inputs.field, 2 * _WALKS)
    label = _label(model, fields, _WALKS)
    walks = model.interpolate(items[:_WALKS], items[_WALKS:], _STEPS, **label)
    where = "picture" if shown_together(model.schema, inputs.field) else "row"
    alt = f"A {where} a walk: from the reconstruction of one item to that of another"
    shown = {inputs.field: walks.reshape(-1, *walks.shape[2:])}
    pictures = inputs.reviewed(shown)[inputs.field]
    drawn = render(model.schema, inputs.field, pictures, alt, columns=_STEPS, assets=inputs.assets)
    return Section("Interpolation", joined([_wide(drawn), parts().text(f"{alt}.")]))


def _label(model: Any, fields: dict[str, Any], n: int) -> dict[str, list[int]]:
    """Return the ``label`` argument of a conditional model; nothing for others."""
    if not model.conditional:
        return {}
    return {"label": [int(each) for each in fields[model.schema.name_of("label")][:n]]}


def _wide(drawn: Markup) -> Markup:
    return Markup('<div class="wide">{}</div>').format(drawn)
