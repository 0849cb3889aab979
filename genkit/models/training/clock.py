"""How long a run was trained, over all its sittings."""

from __future__ import annotations

import time


class Clock:
    """Training time: that of the sittings before, and of this one since it was started."""

    def __init__(self, before: float) -> None:
        self._before = before
        self._started = time.perf_counter()

    def start(self) -> None:
        """Count from now on."""
        self._started = time.perf_counter()

    def seconds(self) -> float:
        """Return the time of all sittings."""
        return self._before + time.perf_counter() - self._started
