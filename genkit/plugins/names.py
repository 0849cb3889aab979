"""Names that people type: what they may have meant."""

from __future__ import annotations

from collections.abc import Iterable


def near_misses(name: str, known: Iterable[str]) -> list[str]:
    """List at most two names much like this one, whatever their case; the nearest first."""
    import difflib  # only a mistake needs it

    by_form = {each.casefold(): each for each in known}
    form = name.casefold()
    if form in by_form:
        return [by_form[form]]
    return [by_form[near] for near in difflib.get_close_matches(form, by_form, n=2, cutoff=0.6)]


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return "Did you mean ...?" for a near miss, or an empty text."""
    near = near_misses(name, known)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""
