"""A section of a page, and the templates that pages are filled from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


@dataclass(frozen=True)
class Section:
    """One part of a page.

    Args:
        title: its heading, plain text.
        body: HTML. ``Markup`` escapes what is formatted into it: names, settings and classes come
            from strangers.
    """

    title: str
    body: Markup

    @property
    def anchor(self) -> str:
        """Return the fragment that leads to it."""
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("genkit.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def parts() -> Any:
    """Return the macros of ``templates/parts.html``; each gives ``Markup`` and escapes its text."""
    return _environment().get_template("parts.html").module


def page(**values: Any) -> str:
    """Fill the template of a whole page."""
    return _environment().get_template("page.html").render(**values)


def joined(pieces: Any) -> Markup:
    """Put pieces of HTML one after another."""
    return Markup("\n").join(pieces)


def number(value: float | None) -> str:
    """Write a number as people read it, with four digits that count."""
    return "not a number" if value is None else f"{value:,.4g}"
