"""One process a measurement: what it found is a file, and what is found is not sought again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from genkit.errors import RunError
from genkit.files import read_json, write_json
from genkit.models.training.signals import StopOnSignal
from genkit.runs import locks

_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 120.0  # a step, a checkpoint and an export take this long at most
_WORKER = (sys.executable, "-m", "genkit.workflows.comparison.worker")


@dataclass(frozen=True)
class Job:
    """What one process is to do; see ``genkit.workflows.comparison.worker``.

    Args:
        do: ``"start"``, ``"train"``, ``"parity"`` or ``"evaluate"``.
        result: the file for what it measured.
        run: the run directory it works on.
        plan: of that run.
        settings: whatever else decides the result; another one is done anew.
        verbose: whether an evaluation says what it chose.
    """

    do: str
    result: Path
    run: Path
    plan: Mapping[str, Any]
    settings: Mapping[str, Any] = field(default_factory=dict)
    verbose: bool = False

    def found(self) -> dict[str, Any]:
        """Read what was measured; empty if nothing was, or under other settings."""
        try:
            found = read_json(self.result)
        except RunError:
            return {}
        return found if found.get("settings") == dict(self.settings) else {}


def is_done(found: Mapping[str, Any]) -> bool:
    """Return whether a result is whole."""
    return found.get("done") is True


def carry_out(job: Job, stop: StopOnSignal, timeout: float | None = None) -> dict[str, Any]:
    """Do a job in a process of its own, unless it is done.

    A job that fails, dies or takes too long leaves ``error`` in its result and ends nothing else;
    it is tried again next time. A signal is passed on, so that the job keeps what it has.

    Args:
        job: what to do.
        stop: watched meanwhile.
        timeout: seconds it may take.

    Returns:
        what was measured, with ``done``; or ``error``; or neither if a signal came.
    """
    found = job.found()
    if is_done(found) or stop.received:
        return found
    _await_orphan(job)
    began = time.monotonic()
    code, late = _watch(job, stop, timeout)
    found = job.found()
    if is_done(found):
        found["process_seconds"] = round(time.monotonic() - began, 1)
        write_json(job.result, found)
    if is_done(found) or stop.received:
        return found
    error = found.get("error")
    if late:
        error = f"It took longer than {timeout:g} s; the same command goes on with it."
    elif error is None:
        error = f"Its process ended with exit code {code}."
        if code < 0:
            error = f"Its process was killed by signal {-code}; was the memory too small?"
    found = {**found, "settings": dict(job.settings), "error": error}
    write_json(job.result, found)
    return found


def _watch(job: Job, stop: StopOnSignal, timeout: float | None) -> tuple[int, bool]:
    """Run a worker to its end; give its exit code, and whether it took too long."""
    begun = time.monotonic()
    order = {
        "do": job.do,
        "result": str(job.result),
        "run": str(job.run),
        "plan": dict(job.plan),
        "settings": dict(job.settings),
        "verbose": job.verbose,
        "began": time.time(),
    }
    # A session of its own: Ctrl-C must reach it once, through us, or it would insist.
    worker = subprocess.Popen(  # noqa: S603 - our own module
        _WORKER, stdin=subprocess.PIPE, stdout=2, start_new_session=True
    )
    late = False
    try:
        assert worker.stdin is not None
        with suppress(BrokenPipeError):  # it has died; its exit code tells
            # It stays open: at its end the worker knows that we are gone.
            worker.stdin.write(json.dumps(order).encode() + b"\n")
            worker.stdin.flush()
        while worker.poll() is None and not (stop.received or late):
            time.sleep(_LOOK_SECONDS)
            late = timeout is not None and time.monotonic() - begun > timeout
        return _ended(worker), late
    finally:
        worker.kill()
        worker.wait()
        assert worker.stdin is not None
        with suppress(BrokenPipeError):
            worker.stdin.close()


def _ended(worker: subprocess.Popen[bytes]) -> int:
    """Ask a worker to end, if it hasn't; insist after a while; give its exit code."""
    if worker.poll() is None:
        worker.terminate()
        try:
            worker.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            worker.kill()
    return worker.wait()


def _await_orphan(job: Job) -> None:
    """Wait until a worker whose parent was killed has kept its work and ended."""
    lock, until = job.run / ".lock", time.monotonic() + _GRACE_SECONDS
    while locks.is_held(lock) and time.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
