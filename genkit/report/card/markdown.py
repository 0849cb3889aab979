"""Texts of others in Markdown, where none of theirs has a meaning."""

from __future__ import annotations

from collections.abc import Mapping

_MARKDOWN = frozenset("\\`*_[]<>|&#")


def plain(text: object) -> str:
    """Return a text on one line in which Markdown has nothing to do."""
    line = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in _MARKDOWN else c for c in line)


def fact_table(rows: Mapping[str, str]) -> str:
    """Return facts as a table without a head; the texts are Markdown."""
    return "| | |\n| --- | --- |\n" + "\n".join(f"| {k} | {v} |" for k, v in rows.items())
