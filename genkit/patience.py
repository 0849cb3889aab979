"""A time box around what a plugin does while it is loaded."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from genkit.errors import PluginError, UsageError

_NOTICE_SECONDS = 2.0
_LIMIT_SECONDS = 30.0


@contextmanager
def time_box(what: str, plugin: str) -> Iterator[None]:
    """Give notice of what takes long, and end what takes too long.

    The end comes by an alarm signal, so only in the main thread of a system that has one, and only
    to Python code; elsewhere there is only the notice. ``GENKIT_PLUGIN_SECONDS`` sets the limit.

    Args:
        what: what is waited for, for the notice.
        plugin: the name that disables it.

    Raises:
        PluginError: it took longer than the limit.
    """
    limit = _limit()

    def tell() -> None:
        print(  # noqa: T201
            f"{what} is still loading. Leave it out with: GENKIT_DISABLE_PLUGINS={plugin}",
            file=sys.stderr,
            flush=True,
        )

    def end(_number: int, _frame: FrameType | None) -> None:
        raise PluginError(f"It took longer than {limit:g} seconds (GENKIT_PLUGIN_SECONDS).")

    notice = threading.Timer(min(_NOTICE_SECONDS, limit / 2), tell)
    notice.daemon = True
    notice.start()
    can_end = hasattr(signal, "SIGALRM") and (threading.current_thread() is threading.main_thread())
    if can_end:
        previous = signal.signal(signal.SIGALRM, end)
        signal.setitimer(signal.ITIMER_REAL, limit)
    try:
        yield
    finally:
        notice.cancel()
        if can_end:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, previous)


def _limit() -> float:
    given = os.environ.get("GENKIT_PLUGIN_SECONDS") or str(_LIMIT_SECONDS)
    try:
        return float(given)
    except ValueError:
        raise UsageError(
            f"Expected a number of seconds as GENKIT_PLUGIN_SECONDS; received {given!r}."
        ) from None
