"""Which of several entries is taken where nobody names one: what is built in comes first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genkit.errors import AmbiguousNameError
from genkit.plugins.entry_points import DISTRIBUTION

if TYPE_CHECKING:
    from genkit.plugins.entries import Entry


def built_in_first(entries: Sequence[Entry]) -> list[Entry]:
    """Return GenKit's own of some entries, or else all of them."""
    return [each for each in entries if each.distribution == DISTRIBUTION] or list(entries)


def only_of(entries: Sequence[Entry], what: str) -> Entry | None:
    """Return the one that is taken; None if there is none.

    Args:
        entries: those that fit.
        what: what they are, in words: "renderer of the modality 'text'".

    Raises:
        AmbiguousNameError: several plugins have one.
    """
    chosen = built_in_first(entries)
    if len(chosen) > 1:
        names = " and ".join(entry.qualified_name for entry in chosen)
        raise AmbiguousNameError(
            f"Expected one {what}; found {names}.",
            "Leave one out with: GENKIT_DISABLE_PLUGINS=DISTRIBUTION",
        )
    return chosen[0] if chosen else None
