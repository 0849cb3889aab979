"""Ending cleanly: the first Ctrl-C or SIGTERM asks, the second one insists."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any, Self

_USUAL: dict[int, Any] = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}


class StopOnSignal:
    """Turn the first SIGINT or SIGTERM inside the block into a wish to stop.

    The training loop looks at ``received`` after each step. A second signal ends the process at
    once, even one that was started with signals ignored, as a shell's background jobs are. Outside
    the main thread, where no handler can be set, nothing changes.
    """

    def __init__(self) -> None:
        self.received = 0
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._previous = {number: signal.signal(number, self._note) for number in _USUAL}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        for usual, handler in _USUAL.items():
            signal.signal(usual, handler)
