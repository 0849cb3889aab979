"""What is left out of files: counted by reason, with the first cases."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from genkit.data.tables import TableChunk

_SHOWN = 5


class LeftOut:
    """Counts what is left out of tables.

    Attributes:
        rows: how many rows were there.
        reasons: how many of them are left out, by reason.
        first: the first of each reason, with its place and what is wrong.
        shown: the first of all.
        doubtful: where a cell in quotation marks begins whose other lines look like rows.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.reasons: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        self.shown: list[str] = []
        self.doubtful: list[str] = []

    def __len__(self) -> int:
        return self.reasons.total()

    def take(self, chunk: TableChunk, place: str) -> None:
        """Count the rows of a chunk, and what is none.

        Args:
            chunk: of a table.
            place: the file, and what its lines are, to come before their numbers.
        """
        self.rows += len(chunk.rows) + len(chunk.malformed)
        self.doubtful += [f"{place} {line}" for line in chunk.doubtful]
        for wrong in chunk.malformed:
            self.add(wrong.reason, f"{place} {wrong.line}: {wrong.text}")

    def add(self, reason: str, shown: str) -> None:
        """Leave out a row.

        Args:
            reason: to follow "with".
            shown: where it is, and what is there.
        """
        self.reasons[reason] += 1
        self.first.setdefault(reason, shown)
        if len(self.shown) < _SHOWN:
            self.shown.append(shown)

    def merge(self, other: LeftOut) -> None:
        """Count what is left out of another file too."""
        self.rows += other.rows
        self.reasons += other.reasons
        self.first = other.first | self.first
        self.shown = (self.shown + other.shown)[:_SHOWN]
        self.doubtful += other.doubtful

    def sentences(self) -> Iterator[str]:
        """Yield what people should know: what is left out, and what might be wrong."""
        if self.reasons:
            counts = ", ".join(f"{count} with {reason}" for reason, count in self.reasons.items())
            left_out = f"{len(self)} of {self.rows} rows are malformed and left out"
            yield f"{left_out}, {counts}. {'; '.join(self.shown)}"
        if self.doubtful:
            others = len(self.doubtful) - 1
            yield (
                f"A cell in quotation marks that begins in {self.doubtful[0]} goes over lines that "
                f"look like rows{f', and {others} others do' if others else ''}; if they are, a "
                "mark is missing there."
            )
