"""What an actor does: it is a worker's place on some machine, and runs the worker's program."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import ray

from genkit.workers.line import free_port
from genkit.workers.local import run_here
from genkit.workers.team import Team

METHODS_AT_ONCE = 3
"""While ``run`` goes on, ``stop`` and ``words`` are asked."""
_MOST_WORDS = 1 << 20  # bytes, at once
# Ray blocks SIGINT in all that it starts, and a process inherits that: Ctrl-C, passed on, must
# reach the worker, and not this actor.
_HEAR_SIGINT = """
import os, signal, sys
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


class WorkerActor:
    """Runs one worker as a process of its own: Ray's threads and settings stay out of it."""

    def __init__(self) -> None:
        self.received = 0
        # It is gone with this process, however that ends.
        self._log = tempfile.TemporaryFile()  # noqa: SIM115

    def about(self) -> dict[str, Any]:
        """Return where it is: the machine, its address, and a port that is free there."""
        host = ray.util.get_node_ip_address()
        node = ray.get_runtime_context().get_node_id()
        return {"node": node, "host": host, "port": free_port(host), "pid": os.getpid()}

    def run(
        self,
        command: Sequence[str],
        team: Team,
        share: int,
        *,
        order: Mapping[str, Any],
        env: Mapping[str, str],
        folder: str,
    ) -> dict[str, Any]:
        """Run the worker to its end, and return how it ended.

        Args:
            command: its program.
            team: its place.
            share: how many workers this machine has.
            order: what it is told.
            env: the environment; the device is the one that Ray gives.
            folder: where it runs, as paths of the order are meant from there.
        """
        device = os.environ.get("CUDA_VISIBLE_DEVICES")
        env = {**env, **({} if device is None else {"CUDA_VISIBLE_DEVICES": device})}
        # Where this actor is killed nothing is left to write a checkpoint for.
        order = {**order, "alone": int(signal.SIGKILL)}
        os.chdir(folder)
        here = (sys.executable, "-S", "-c", _HEAR_SIGINT, *command[1:])
        (ended,) = run_here(here, [team], share, order, self, env=env, log=self._log)
        return asdict(ended)

    def stop(self, number: int) -> None:
        """Pass a signal on to the worker."""
        self.received = number

    def words(self, since: int) -> bytes:
        """Return what the worker has written on stderr, from a byte on."""
        return os.pread(self._log.fileno(), _MOST_WORDS, since)
