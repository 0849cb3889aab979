"""Locks that the system lets go of when their process dies, however it dies."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genkit.errors import RunError

_OWNER_SECONDS = 2.0
_GLANCE_SECONDS = 0.3  # who asks whether a lock is held has it for a moment


@contextmanager
def holding(lock: Path, what: str, owner: Callable[[], Mapping[str, Any]]) -> Iterator[None]:
    """Hold a lock file.

    Args:
        lock: the file.
        what: what it guards, for the error.
        owner: reads who holds it: ``pid`` and ``host``.

    Raises:
        RunError: another process holds it.
    """
    from filelock import FileLock, Timeout

    file = FileLock(lock)
    try:
        file.acquire(timeout=_GLANCE_SECONDS)
    except Timeout:
        who = _wait_for(owner)
        raise RunError(
            f"{what} is being written by process {who.get('pid')} on {who.get('host')}.",
            "Wait for it, or stop it.",
        ) from None
    try:
        yield
    finally:
        file.release()


def is_held(lock: Path) -> bool:
    """Return whether a process holds the lock file."""
    from filelock import FileLock, Timeout

    if not lock.exists():
        return False
    file = FileLock(lock)
    try:
        file.acquire(timeout=0)
    except Timeout:
        return True
    file.release()
    return False


def _wait_for(owner: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Read who holds a lock; it may have been taken so lately that it isn't written yet."""
    until = time.monotonic() + _OWNER_SECONDS
    while True:
        who = owner()
        elsewhere = who.get("host") != socket.gethostname()
        if (who.get("pid") and (elsewhere or is_alive(who["pid"]))) or time.monotonic() > until:
            return who
        time.sleep(0.05)


def is_alive(pid: object) -> bool:
    """Return whether a process of this machine has that number."""
    try:
        os.kill(int(str(pid)), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except OSError:
        return True  # it is somebody else's
    return True
