"""Ids of two files that should be the same, and meet in few cases or none."""

from __future__ import annotations

from collections.abc import Collection, Iterable

_FEW = 0.5
_DIGITS = 15  # beyond them a float is no id


def meeting(what: str, ids: Collection[str], others: Collection[str], where: str) -> str:
    """Return a sentence if fewer than half of the ids are among others; empty text if not.

    Args:
        what: the ids are of: ``items``.
        ids: of the interactions.
        others: of another file.
        where: that file.
    """
    theirs = set(others)
    found = sum(each in theirs for each in ids)
    if found >= _FEW * len(ids):
        return ""
    told = f"{found} of {len(ids)} {what} are in {where}"
    alike = _plain_forms(theirs)
    here, there = next(
        (
            (each, alike[_plain(each)])
            for each in ids
            if each not in theirs and _plain(each) in alike
        ),
        ("", ""),
    )
    if not here and not found:
        here, there = min(ids), min(theirs, default="")
    return f"{told}: ids there look like {there!r}, here {here!r}." if here else f"{told}."


def _plain_forms(ids: Iterable[str]) -> dict[str, str]:
    return {_plain(each): each for each in sorted(ids, reverse=True)}


def _plain(name: str) -> str:
    """Return what is the same for ``1``, ``1.0``, ``01`` and `` 1``, and for ``A`` and ``a``."""
    name = name.strip().casefold()
    try:
        number = float(name) if len(name) <= _DIGITS else 0.5
    except ValueError:
        return name
    return str(int(number)) if number.is_integer() else name
