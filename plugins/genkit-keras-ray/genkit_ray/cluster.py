"""The cluster that workers run on: one that exists, or one that is started on this machine."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from genkit.errors import RunError, UsageError

# What workers are told and leave is small: 80 MiB, about the least, instead of a third of memory.
_SMALL = {"include_dashboard": False, "object_store_memory": 80 * 2**20}
_REACH_SECONDS = 10.0
_OF_THIS_MACHINE = {
    "RAY_USAGE_STATS_ENABLED": "0",  # on by default: it would send who runs what to Ray's makers
    "RAY_AUTH_MODE": "token",
    # Ray has no setting for "this machine alone" on Linux but this one, of systems where it is so
    # always: with it all that it starts listens on 127.0.0.1.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    "RAY_worker_niceness": "0",  # 15 by default: the training would wait for everybody else's work
    "RAY_prestart_worker_first_driver": "0",  # a process a core that nobody needs
}


@contextmanager
def connected() -> Iterator[None]:
    """Be connected with a cluster inside the block.

    It is that which this program has connected to already, or the one at ``RAY_ADDRESS``; without
    either one is started on this machine, and ended with the block.

    Raises:
        UsageError: Ray isn't installed, or was imported without being connected; or the address is
            none.
        RunError: the cluster isn't there, doesn't let us in, or can't be started.
    """
    exists = bool(os.environ.get("RAY_ADDRESS"))
    late = sys.modules.get("ray") is not None
    if not exists and not late:
        for name, value in _OF_THIS_MACHINE.items():
            os.environ.setdefault(name, value)
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            f"The launcher ray needs the package ray, which can't be imported: {error}.",
            "Install it with: pip install 'ray>=2.60,<3'",
        ) from error

    if ray.is_initialized():
        yield
        return
    if late and not exists:  # it reads settings as it is imported: ours would come too late
        raise UsageError(
            "Expected a program that has called ray.init() or hasn't imported ray; received one "
            "that has only imported it.",
            "Call ray.init() before; or leave Ray to GenKit.",
        )
    if exists:
        _check_reachable(os.environ["RAY_ADDRESS"])
    # "local", or Ray would take any cluster that somebody has started on this machine.
    settings: dict[str, Any] = {} if exists else {"address": "local", **_SMALL}
    try:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, **settings)
    except (ray.exceptions.RayError, ConnectionError, ValueError, RuntimeError) as error:
        told = str(*error.args[:1]).strip().partition("\n")[0] or type(error).__name__
        where = f"at RAY_ADDRESS={os.environ['RAY_ADDRESS']}" if exists else "on this machine"
        raise RunError(
            f"Expected a Ray cluster {where}; received: {told}",
            "See whether it runs: ray status; and whether RAY_AUTH_TOKEN is its token.",
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _check_reachable(address: str) -> None:
    """Refuse an address where nobody listens: Ray would try for minutes.

    Raises:
        UsageError: it is not of the form ``HOST:PORT``.
        RunError: nobody is there.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise UsageError(f"Expected RAY_ADDRESS as HOST:PORT; received {address!r}.")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACH_SECONDS).close()
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or "it doesn't answer"
        raise RunError(
            f"Expected a Ray cluster at RAY_ADDRESS={address}; received: {told}.",
            "Start one, ray start --head, or leave out RAY_ADDRESS for one of this machine.",
        ) from error
