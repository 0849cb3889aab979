"""How items are shown on a page: as their modality's renderer does, or as a table of numbers."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from genkit.plugins.schema import Schema
from genkit.report.rendering import find_renderer
from genkit.report.sections import joined, parts

_MOST_ROWS, _MOST_NUMBERS = 12, 16


def shown_together(schema: Schema, field: str) -> int:
    """Return how many items make one picture, or 0 where each has its own; see ``Renderer``."""
    renderer = find_renderer(schema, field)
    return 0 if renderer is None else renderer.together


def render(
    schema: Schema, field: str, items: np.ndarray, alt: str, columns: int | None = None
) -> Markup:
    """Show items as HTML: as the renderer of their modality does, or as numbers.

    Args:
        schema: what the data is.
        field: name of the field that the items belong to.
        items: shape ``(n, ...)``, at least one.
        alt: what they are in words, for who can't see them.
        columns: items in a row; None for what looks well.
    """
    renderer = find_renderer(schema, field)
    if renderer is None:
        return render_numbers(items, alt)
    return Markup(renderer.html(items, alt, columns))  # noqa: S704 - a renderer escapes what it shows


def render_numbers(items: np.ndarray, alt: str) -> Markup:
    """Show the first numbers of the first items as a table."""
    rows = [np.asarray(item).ravel()[:_MOST_NUMBERS] for item in items[:_MOST_ROWS]]
    widest = max(map(len, rows))
    head = ["item", *map(str, range(widest))]
    shown = [
        [index, *map(_short, row), *[""] * (widest - len(row))] for index, row in enumerate(rows)
    ]
    left_out = f"; the first {len(rows)} of {len(items)}" if len(rows) < len(items) else ""
    shapes = {np.shape(item) for item in items}
    shape = shapes.pop() if len(shapes) == 1 else "of their own"
    caption = parts().text(f"{alt}, shape {shape}{left_out}.")
    return joined([parts().table(head, shown), caption])


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float, np.number)) else str(value)[:200]
