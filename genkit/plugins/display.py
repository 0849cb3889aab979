"""What notebooks display of an object, and tables that print themselves.

The HTML is made by ``genkit.report.notebook``. That stands above most of what it shows, so it is
named by a reference here, as what a plugin brings is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genkit.plugins.specs import resolve

NOTEBOOK = "genkit.report.notebook"


class Displayed:
    """Base of what a notebook displays."""

    def _repr_html_(self) -> str:
        return str(resolve(f"{NOTEBOOK}:html")(self))


class Rows(list[dict[str, Any]], Displayed):
    """Rows with the same keys, that print as a table and that ``pandas.DataFrame`` takes."""

    def __repr__(self) -> str:
        return columns(self.table()) if self else "none"

    def table(self) -> list[list[str]]:
        """Return the head and the rows in words, without columns that are empty in every row."""
        kept = [key for key in self[0] if any(row[key] not in ("", [], {}, None) for row in self)]
        return [kept, *([in_words(row[key]) for key in kept] for row in self)]


class Description(dict[str, Any], Displayed):
    """Facts by name, that print a line each, and tables below."""

    def __repr__(self) -> str:
        words, tables = self.parts()
        lines = columns([[name, text] for name, text in words.items()], widest=100)
        return "\n\n".join([lines, *(f"{name}\n{rows}" for name, rows in tables.items())])

    def parts(self) -> tuple[dict[str, str], dict[str, Rows]]:
        """Return what fits on a line in words, and what is rows; what is empty is left out."""
        tables: dict[str, Rows] = {}
        words: dict[str, str] = {}
        for name, value in self.items():
            several = value if isinstance(value, Mapping) else {"": value}
            for key, each in several.items():
                full = f"{name} {key}".strip()
                if isinstance(each, list) and each and isinstance(each[0], Mapping):
                    tables[full] = Rows(each)
                elif each or each == 0:
                    words[full] = in_words(each)
        return words, tables


def columns(rows: list[list[str]], widest: int = 60) -> str:
    """Return rows of text, cells below each other; those longer than ``widest`` are cut."""
    cut = [[c if len(c) <= widest else f"{c[: widest - 3]}..." for c in row] for row in rows]
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
