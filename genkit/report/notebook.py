"""What a notebook displays: runs, models, figures and tables as HTML, and samples as a picture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from functools import singledispatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from PIL import Image

from genkit.errors import RunError, UsageError
from genkit.evaluation.figure import Figures
from genkit.models.presented import Presented
from genkit.plugins.display import Description, Rows, in_words
from genkit.report import curves, figures
from genkit.report.grids import picture_part
from genkit.report.inputs import of_files
from genkit.report.kept_samples import figure_of, samples_of
from genkit.report.sections import joined, parts
from genkit.runs.run import Run
from genkit.runs.run_summary import Runs, RunSummary

if TYPE_CHECKING:
    from genkit.models.conditional import Label
    from genkit.models.model import Model

_PICTURES = 16
_LOOK = """\
.genkit .gallery {display: flex; flex-wrap: wrap; gap: 1em}
.genkit figure, .genkit p {margin: 0.5em 0}
.genkit img {max-width: 100%; height: auto}
.genkit .plot {width: 360px; max-width: 100%}
.genkit td, .genkit th {text-align: left}
"""


def picture(
    model: Model, n: int | None, seed: int, label: Label, *, columns: int | None, **options: Any
) -> Image.Image:
    """Draw items that a model generates: see ``genkit.Model.show``."""
    from genkit.models.outputs import concatenated
    from genkit.report.samples import Samples

    name = type(model).__name__
    if "generate" not in model.capabilities:
        raise UsageError(f"The model {name} generates nothing to show.")
    if model.schema is None:
        raise UsageError(f"The model {name} knows no data yet.", "Train it first: fit(data).")
    samples = Samples(model)
    if n is None:
        n = (samples.renderer.together if samples.renderer else 0) or _PICTURES
    items = concatenated(list(model.generate_items(n, seed, label, **options)))
    return samples.draw_grid(samples.reviewed([items], itertools.repeat("")), columns)


@singledispatch
def html(displayed: Any) -> str:
    """Return what a notebook displays of an object, HTML that needs nothing else."""
    raise TypeError(f"Nothing displays a {type(displayed).__name__}.")


@html.register
def _(run: Run) -> str:
    inputs = of_files(run)
    kept = samples_of(run)
    shown_parts = [
        parts().text(repr(run).strip("<>")),
        figure_of(kept[-1]) if kept else None,
        section.body if (section := curves.losses(inputs)) else None,
        figures.metrics(inputs).body,
    ]
    return displayed(shown_parts)


@html.register
def _(summary: RunSummary) -> str:
    try:
        return html(Run.open(summary.path))
    except RunError:
        return displayed([_rows(Runs([summary]).rows())])


@html.register
def _(runs: Runs) -> str:
    return displayed([_rows(runs.rows())])


@html.register
def _(model: Presented) -> str:
    whole: Any = model
    facts = {"": repr(model).strip("<>")}
    owned = {name: whole.owned_variables(name) for name in whole.optimizers}
    for name, variables in owned.items():
        count = sum(math.prod(variable.shape) for variable in variables)
        facts[f"optimizer {name}"] = f"{type(whole.optimizers[name]).__name__}, {count:,} weights"
    facts["can"] = ", ".join(whole.capabilities)
    if whole.conditional and whole.schema is not None:
        facts["classes"] = in_words(whole.classes())
    if whole.config is not None:
        facts["config"] = in_words(whole.config.model_dump(mode="json"))
    return displayed([_words(facts), parts().text("Pictures: model.show(16)")])


@html.register
def _(measured: Figures) -> str:
    return displayed([figures.table(measured) if measured else parts().text(repr(measured))])


@html.register
def _(rows: Rows) -> str:
    return displayed([_rows(rows)])


@html.register
def _(description: Description) -> str:
    words, tables = description.parts()
    pieces = [_words(words)]
    for name, rows in tables.items():
        pieces += [parts().heading(name), _rows(rows)]
    return displayed(pieces)


def _words(words: Mapping[str, str]) -> Markup:
    made: Markup = parts().table(["", ""], list(words.items()))
    return made


def _rows(rows: Rows) -> Markup:
    if not rows:
        return Markup(parts().text(repr(rows)))  # noqa: S704 - the macro escapes
    head, *others = rows.table()
    made: Markup = parts().table(head, others)
    return made


def picture_file(file: Path) -> Markup:
    """Return a picture of GenKit's own, a PNG file, as HTML that holds it."""
    with Image.open(file, formats=["PNG"]) as opened:
        return picture_part(opened.convert("RGB"), file.stem)


def displayed(pieces: Iterable[Markup | None]) -> str:
    """Put pieces of HTML together as a notebook displays them; those that are None are left out."""
    content = joined(piece for piece in pieces if piece is not None)
    return Markup('<div class="genkit"><style>{}</style>{}</div>').format(_LOOK, content)
