"""What one worker hears of another: lines of JSON over a connection."""

from __future__ import annotations

import json
import queue
import socket
import threading
import time
from contextlib import suppress
from typing import Any

_LONGEST = 1 << 24  # bytes of a line


class Voice:
    """What one other worker says, and is told."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._file = connection.makefile("rb")
        self._lock = threading.Lock()
        self.heard = time.monotonic()
        self.values: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def say(self, **message: Any) -> None:
        """Send a message; one that is gone will be found by its silence."""
        with self._lock, suppress(OSError):
            self._connection.sendall(json.dumps(message).encode() + b"\n")

    def hear(self) -> dict[str, Any] | None:
        """Wait for a message; None when there won't be another, or it is none of ours."""
        try:
            line = self._file.readline(_LONGEST)
            message = json.loads(line) if line.endswith(b"\n") else None
        except (OSError, ValueError, RecursionError):
            return None
        self.heard = time.monotonic()
        return message if isinstance(message, dict) else None

    def limit(self, seconds: float | None) -> None:
        """Wait so long for a message, or for ever."""
        self._connection.settimeout(seconds)

    def close(self) -> None:
        """Hang up."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)  # wakes who listens
        self._file.close()
        self._connection.close()
