"""How items are shown on a page: as their modality's renderer does, or as a table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from markupsafe import Markup

from genkit.plugins.schema import Schema
from genkit.report.forms import is_scalar, is_text
from genkit.report.readable import ReadableColumns
from genkit.report.renderer_calls import call_renderer
from genkit.report.rendering import Renderer, find_renderer
from genkit.report.sections import joined, parts

_MOST_ROWS, _MOST_NUMBERS = 12, 16


def shown_together(schema: Schema, field: str) -> int:
    """Return how many items make one picture, or 0 where each has its own; see ``Renderer``."""
    renderer = find_renderer(schema, field)
    return 0 if renderer is None else renderer.together


def render(
    schema: Schema,
    field: str,
    items: Any,
    alt: str,
    columns: int | None = None,
    *,
    assets: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Markup:
    """Show items as HTML: as the renderer of their modality does, or as numbers.

    Args:
        schema: what the data is.
        field: name of the field that the items belong to.
        items: shape ``(n, ...)``, at least one.
        alt: what they are in words, for who can't see them.
        columns: items in a row; None for what looks well.
        assets: those of the data.
    """
    return render_items(schema, {field: items}, alt, columns, assets=assets)


def render_items(
    schema: Schema,
    items: Mapping[str, Any],
    alt: str,
    columns: int | None = None,
    *,
    assets: Mapping[str, np.ndarray] = MappingProxyType({}),
) -> Markup:
    """Show items of one or several fields as HTML.

    Of several fields, those that a row of a table can hold are shown in one; pictures, sounds and
    clips each with the other fields below.

    Args:
        schema: what the data is.
        items: by field, ``n`` each, at least one.
        alt: what they are in words, for who can't see them.
        columns: items in a row, of a single field; None for what looks well.
        assets: those of the data.
    """
    renderers = {name: find_renderer(schema, name, assets=assets) for name in items}
    (field, alone), *others = renderers.items()
    if not others and alone is not None:
        return _html(alone, items[field], alt, columns)
    shown = {
        name: renderer
        for name, renderer in renderers.items()
        if renderer is not None and not is_text(schema[name])
    }
    if not shown and len(items) == 1 and not (is_scalar(schema[field]) or is_text(schema[field])):
        return render_numbers(items[field], alt)
    read = ReadableColumns(schema, [name for name in items if name not in shown], assets)
    rows = read.of({name: each[:_MOST_ROWS] for name, each in items.items()})
    texts = {name: [_short(text) for text in column.texts()] for name, column in rows.items()}
    total, most = len(items[field]), min(_MOST_ROWS, len(items[field]))
    left_out = f"; the first {most} of {total}" if most < total else ""
    if not shown:
        cells = [list(row) for row in zip(*texts.values(), strict=True)]
        return joined([parts().table(list(texts), cells), parts().text(f"{alt}{left_out}.")])
    figures = []
    for place in range(most):
        pieces = [
            _html(renderer, items[name][place : place + 1], f"{name} {place + 1}")
            for name, renderer in shown.items()
        ]
        caption = ", ".join(f"{name}: {column[place]}" for name, column in texts.items())
        figures.append(parts().figure(joined(pieces), caption))
    return joined([parts().gallery(figures, "small"), parts().text(f"{alt}{left_out}.")])


def _html(renderer: Renderer, items: Any, alt: str, columns: int | None = None) -> Markup:
    shown = call_renderer(renderer, renderer.html, items, alt, columns)
    return Markup(shown)  # noqa: S704 - a renderer escapes what it shows


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
