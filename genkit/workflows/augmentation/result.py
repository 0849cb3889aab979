"""What an augmentation gives: its verdicts in words, and its picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genkit.report.notebook import displayed, picture_file
from genkit.report.sections import parts


@dataclass(frozen=True, repr=False)
class AugmentResult:
    """How a sitting ended; it prints its verdicts, and a notebook displays its picture.

    Args:
        folder: of the augmentation.
        summary: what ``augmentation.json`` holds; empty where a signal came first.
        signal: its number, or 0.
    """

    folder: Path
    summary: Mapping[str, Any]
    signal: int = 0

    @property
    def sentences(self) -> list[str]:
        """The verdicts; that it was stopped, where a signal came first."""
        if not self.summary:
            return [f"Stopped by signal {self.signal}. The same call goes on."]
        return [
            self.summary[verdict]["sentence"] for verdict in ("verdict", "verdict_beyond_classical")
        ]

    def __repr__(self) -> str:
        return "\n".join([f"<Augmentation {self.folder}>", *self.sentences])

    def _repr_html_(self) -> str:
        picture = self.folder / "augmentation.png"
        shown = [picture_file(picture)] if self.summary and picture.exists() else []
        return displayed([*map(parts().text, self.sentences), *shown])
