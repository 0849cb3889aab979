"""What notebooks display of an object, and tables that print themselves.

The HTML is made by ``genkit.report.notebook``. That stands above most of what it shows, so it is
named by a reference here, as what a plugin brings is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genkit.plugins.specs import resolve

NOTEBOOK = "genkit.report.notebook"
_WIDEST = 60


class Displayed:
    """Base of what a notebook displays."""

    def _repr_html_(self) -> str:
        return str(resolve(f"{NOTEBOOK}:html")(self))


class Rows(list[dict[str, Any]], Displayed):
    """Rows with the same keys, that print as a table and that ``pandas.DataFrame`` takes."""

    def __repr__(self) -> str:
        if not self:
            return "nothing"
        return columns([list(self[0]), *([in_words(row[key]) for key in row] for row in self)])


class Description(dict[str, Any], Displayed):
    """Description by name, that print a line each."""

    def __repr__(self) -> str:
        return columns([[name, in_words(value)] for name, value in self.items()])


def columns(rows: list[list[str]]) -> str:
    """Return rows of text with their cells below each other; long ones are cut."""
    cut = [[c if len(c) <= _WIDEST else f"{c[: _WIDEST - 3]}..." for c in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cut, strict=True)]
    lines = ("  ".join(f"{c:{w}}" for c, w in zip(row, widths, strict=True)) for row in cut)
    return "\n".join(line.rstrip() for line in lines)


def in_words(value: Any) -> str:
    """Write a value on one line, for people."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={in_words(each)}" for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(in_words, value))
    return " ".join(str(value).split())
