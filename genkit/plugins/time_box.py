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
    """Warn of what takes long, and end what takes too long.

    The end comes by an alarm signal, so only in the main thread of a system that has one, and only
    to Python code; elsewhere there is only the notice. ``GENKIT_PLUGIN_SECONDS`` sets the limit.

    Args:
        what: what is waited for, for the notice.
        plugin: the name that disables it.

    Raises:
        PluginError: it took longer than the limit.
    """
    limit = _limit()
    notice = min(_NOTICE_SECONDS, limit / 2)

    def tell() -> None:
        print(  # noqa: T201
            f"{what} is still loading. Leave it out with: GENKIT_DISABLE_PLUGINS={plugin}",
            file=sys.stderr,
            flush=True,
        )

    if not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        timer = threading.Timer(notice, tell)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
        return

    warned = False

    def tell_or_end(_number: int, _frame: FrameType | None) -> None:
        nonlocal warned
        if warned:
            raise PluginError(f"It took longer than {limit:g} seconds (GENKIT_PLUGIN_SECONDS).")
        warned = True
        signal.setitimer(signal.ITIMER_REAL, limit - notice)
        tell()

    # No thread here: to start one for each of a hundred plugins takes a tenth of a second.
    previous = signal.signal(signal.SIGALRM, tell_or_end)
    signal.setitimer(signal.ITIMER_REAL, notice)
    try:
        yield
    finally:
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
