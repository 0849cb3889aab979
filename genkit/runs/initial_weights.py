"""What a run has taken of another one's weights, and what it hasn't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genkit.errors import RunError

_SHOWN = 4


@dataclass(frozen=True)
class InitialWeights:
    """The weights and statistics that were taken from a run, by their names in the model.

    Args:
        run: the run directory.
        taken: names of what was taken.
        left_out: why each of the others was not, theirs and ours; ours begin as in any new run.
    """

    run: str
    taken: tuple[str, ...]
    left_out: Mapping[str, str]

    def check(self) -> None:
        """Refuse to begin if nothing fits.

        Raises:
            RunError: with some of what doesn't fit.
        """
        if not self.taken:
            raise RunError(
                f"Nothing of {self.run} fits this model: {self._listed()}.",
                "Begin from a run of the same model, or without --init.",
            )

    def summary(self) -> str:
        """Return it as a sentence."""
        count = len(self.taken) + len(self.left_out)
        return (
            f"Of {count} variables {len(self.taken)} were taken from {self.run}; "
            f"not taken: {self._listed()}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the form that ``environment.json`` and ``--json`` have."""
        return {"run": self.run, "taken": sorted(self.taken), "left_out": dict(self.left_out)}

    def _listed(self) -> str:
        shown = [f"{name} ({reason})" for name, reason in list(self.left_out.items())[:_SHOWN]]
        more = len(self.left_out) - len(shown)
        return ", ".join(shown) + (f" and {more} more" if more else "")
