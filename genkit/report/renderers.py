"""How items are shown on a page: as their modality's renderer does, or as a table of numbers."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup

from genkit.plugins.schema import Schema
from genkit.report.rendering import find_renderer
from genkit.report.sections import joined, parts

_MOST_ROWS, _MOST_NUMBERS = 12, 16


def shown_together(schema: Schema) -> int:
    """Return how many items make one picture, or 0 where each has its own; see ``Renderer``."""
    renderer = find_renderer(schema, schema.main_field())
    return 0 if renderer is None else renderer.together


def render(schema: Schema, items: np.ndarray, alt: str, columns: int | None = None) -> Markup:
    """Show items as HTML: as the renderer of their modality does, or as numbers.

    Args:
        schema: what they are.
        items: of the field that ``schema.main_field()`` names, shape ``(n, ...)``, at least one.
        alt: what they are in words, for who can't see them.
        columns: items in a row; None for what looks well.
    """
    renderer = find_renderer(schema, schema.main_field())
    if renderer is None:
        return render_numbers(items, alt)
    return Markup(renderer.html(items, alt, columns))  # noqa: S704 - a renderer escapes what it shows


def render_numbers(items: np.ndarray, alt: str) -> Markup:
    """Show the first numbers of the first items as a table."""
    rows = np.asarray(items).reshape(len(items), -1)[:_MOST_ROWS, :_MOST_NUMBERS]
    head = ["item", *map(str, range(rows.shape[1]))]
    shown = [[index, *map(_short, row)] for index, row in enumerate(rows)]
    left_out = f"; the first {len(rows)} of {len(items)}" if len(rows) < len(items) else ""
    caption = parts().text(f"{alt}, shape {tuple(items.shape[1:])}{left_out}.")
    return joined([parts().table(head, shown), caption])


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float, np.number)) else str(value)[:200]
