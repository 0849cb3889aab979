"""What a metric gathers and can hand over: sums that add up."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


class Sums:
    """Numbers that add up over items, whichever process has seen them.

    Args:
        shape: of the numbers, zeros at first.
    """

    def __init__(self, *shape: int) -> None:
        self.total = np.zeros(shape)

    def state(self) -> Mapping[str, np.ndarray]:
        """Return the sums."""
        return {"total": self.total}

    def merge(self, state: Mapping[str, np.ndarray]) -> None:
        """Add other sums."""
        self.total = self.total + state["total"]
