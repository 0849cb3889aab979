"""Names that people type: what they may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...?" for a near miss, or an empty text."""
    import difflib  # only a mistake needs it

    near = difflib.get_close_matches(name, list(known), n=2, cutoff=0.6)
    return f"Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
