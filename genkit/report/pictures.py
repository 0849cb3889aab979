"""Sections of samples: beside real items, by class, and as they came to be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from genkit.report.inputs import ReportInputs, evenly_by_field
from genkit.report.kept_samples import figure_of, samples_of
from genkit.report.renderers import render_items, shown_together
from genkit.report.sections import Section, joined, parts
from genkit.runs.sample_conditions import read_conditions

_MOST_CLASSES = 12
_EACH = 8  # samples a class
_MOMENTS = 6
_NOT_SHOWN = "Real rows may be about people: they are shown to who asks for them."


def real_and_generated(inputs: ReportInputs) -> Section | None:
    """Show as many real items as samples, side by side."""
    if not inputs.can("generate") or inputs.schema is None:
        return None
    inputs.tell("Real against generated")
    shown = []
    if (real := inputs.shown_singly) is not None:
        items = evenly_by_field(real, inputs.fields, inputs.n)
        what = "Real, held out" if inputs.held_out else "Real, from the training data"
        shown.append((what, _shown(inputs, items, what)))
    drawn = _shown(inputs, inputs.generated, "Generated samples")
    shown.append((f"Generated, seed {inputs.run.plan.seed}", drawn))
    if not inputs.can("contrast"):
        figures = [parts().figure(drawn, what) for what, drawn in shown]
        return Section("Real against generated", parts().gallery(figures, "large"))
    # Rows of a table are wide: one table below the other.
    pieces = [piece for what, drawn in shown for piece in (parts().heading(what), drawn)]
    if real is None and inputs.real is not None:
        pieces.append(parts().notice(_NOT_SHOWN, f"genkit report {inputs.run.path} --show-real"))
    return Section("Real against generated", joined(pieces))


def by_class(inputs: ReportInputs) -> Section | None:
    """Show a row of samples for each class of a conditional model."""
    model = inputs.model
    if model is None or not inputs.can("generate") or not model.conditional:
        return None
    assert model.schema is not None, "a loaded model knows its data"
    inputs.tell("Samples by class")
    classes = model.classes()[:_MOST_CLASSES]
    together = shown_together(model.schema, inputs.field)
    each = together // len(classes) or _EACH
    asked = np.repeat(np.arange(len(classes)), each).tolist()
    samples = inputs.generate(len(asked), asked)
    parted = [
        {name: items[start : start + each] for name, items in samples.items()}
        for start in range(0, len(asked), each)
    ]
    rows = [
        (name, _shown(inputs, items, f"Class {name}", each))
        for name, items in zip(classes, parted, strict=True)
    ]
    if together:
        figures = [parts().figure(drawn, f"Class {name}") for name, drawn in rows]
        pieces = [parts().gallery(figures)]
    else:
        pieces = [parts().by_class(rows)]
    if len(model.classes()) > len(classes):
        caption = f"The first {len(classes)} of {len(model.classes())} classes."
        pieces.append(parts().text(caption))
    return Section("By class", joined(pieces))


def evolution(inputs: ReportInputs) -> Section | None:
    """Show the samples that were kept in training, from the same noise, at up to six steps.

    What they were given, for a model that needs something, stands below.
    """
    files = samples_of(inputs.run)
    chosen = {round(each) for each in np.linspace(0, len(files) - 1, _MOMENTS)} if files else set()
    found = (figure_of(files[index]) for index in sorted(chosen))
    figures = [figure for figure in found if figure is not None]
    if not figures:
        return None
    names, *given = read_conditions(inputs.run.samples) or [[]]
    caption = f"The same noise{' and conditions' if given else ''} at every step."
    drawn = files[0].suffix == ".png"
    if drawn and (inputs.schema is None or not shown_together(inputs.schema, inputs.field)):
        caption = f"{caption[:-1]}: each place of the grid is one sample as it came to be."
    pieces = [parts().gallery(figures), parts().text(caption)]
    if given:
        pieces.append(parts().text("What each sample was given, in reading order:"))
        rows = [[str(number), *row] for number, row in enumerate(given, 1)]
        pieces.append(parts().table(["Sample", *names], rows))
    return Section("Sample evolution", joined(pieces))


def compared(all_inputs: dict[str, ReportInputs]) -> Section | None:
    """Show samples of several runs, beside real items of the first."""
    figures = []
    first = next(iter(all_inputs.values()))
    if (real := first.shown_singly) is not None and first.schema is not None:
        items = evenly_by_field(real, first.fields, first.n)
        what = "Real, held out" if first.held_out else "Real, from the training data"
        figures.append(parts().figure(_shown(first, items, what), what))
    for label, inputs in all_inputs.items():
        if inputs.can("generate") and inputs.schema is not None:
            inputs.tell(f"Samples of {label}")
            drawn = _shown(inputs, inputs.generated, f"Samples of {label}")
            figures.append(parts().figure(drawn, f"{label}, seed {inputs.run.plan.seed}"))
    return Section("Samples", parts().gallery(figures, "large")) if figures else None


def _shown(
    inputs: ReportInputs, items: Mapping[str, Any], alt: str, columns: int | None = None
) -> Markup:
    assert inputs.schema is not None, "asked only where items are shown"
    return render_items(inputs.schema, items, alt, columns, assets=inputs.assets)
