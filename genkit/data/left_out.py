"""What is left out of a folder: counted by reason, with the first of each."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from genkit.data.source import Source


class LeftOut:
    """A tally of the files that can't be used.

    Args:
        root: the folder that all of them are in.

    Attributes:
        counts: how many, by reason: ``"unreadable"``, ``".heic"``, ``"broken link"``.
    """

    def __init__(self, root: Path) -> None:
        self.counts: Counter[str] = Counter()
        self._root = root
        self._first: dict[str, Path] = {}

    def add(self, reason: str, file: Path) -> None:
        """Count a file.

        Args:
            reason: why it is left out; the same words for the same reason.
            file: below the folder.
        """
        self.counts[reason] += 1
        self._first.setdefault(reason, file.relative_to(self._root))

    def summary(self) -> str:
        """Return all counts in a sentence."""
        counted = ", ".join(
            f"{reason} {count} (first: {self._first[reason]})"
            for reason, count in self.counts.items()
        )
        return f"Left out of {self._root}: {counted}."

    def record_in(self, source: Source) -> None:
        """Keep the counts with a source, and so with its runs; warn of them once."""
        source.skipped = self.counts["unreadable"]
        source.left_out = dict(self.counts)
        if self.counts:
            warnings.warn(self.summary(), stacklevel=3)
