"""One process a measurement: what it found is a file, and what is found is not sought again.

Comparisons and augmentations are made of such jobs, one after the other or several at a time.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from genkit.errors import GenkitError, RunError, UsageError
from genkit.files import read_json, write_json
from genkit.models.training.signals import StopOnSignal
from genkit.plan import activation
from genkit.plan.devices import variables_for
from genkit.runs import locks

_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 120.0  # a step, a checkpoint and an export take this long at most


@dataclass(frozen=True)
class Job:
    """What one process is to do.

    Args:
        worker: the module that does it; its main is ``serve``.
        do: which of its deeds.
        result: the file for what it measured.
        run: the run directory it works on.
        plan: of that run.
        settings: whatever else decides the result; another one is done anew.
        verbose: whether an evaluation says what it chose.
    """

    worker: str
    do: str
    result: Path
    run: Path
    plan: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    verbose: bool = False

    def found(self) -> dict[str, Any]:
        """Read what was measured; empty if nothing was, or under other settings."""
        try:
            found = read_json(self.result)
        except RunError:
            return {}
        return found if found.get("settings") == dict(self.settings) else {}

    def order(self) -> dict[str, Any]:
        """Return what its worker is told."""
        return {
            "do": self.do,
            "result": str(self.result),
            "run": str(self.run),
            "plan": dict(self.plan),
            "settings": dict(self.settings),
            "verbose": self.verbose,
            "began": time.time(),
        }


def is_done(found: Mapping[str, Any]) -> bool:
    """Return whether a result is whole."""
    return found.get("done") is True


def check_at_once(number: int) -> None:
    """Refuse to do fewer than one thing at a time.

    Raises:
        UsageError: as the command line would report it.
    """
    if number < 1:
        raise UsageError(f"Expected at least one worker; received {number}.")


def several_at_once(tasks: Iterable[Callable[[int], None]], number: int) -> None:
    """Do tasks in order, a few at a time, each in a thread that waits for its processes.

    Args:
        tasks: are told which place they have, from 0 to ``number - 1``: no two at a time the same.
        number: how many at a time.

    Raises:
        Exception: what the first task that failed has raised, when all have ended.
    """
    places: SimpleQueue[int] = SimpleQueue()
    for place in range(number):
        places.put(place)

    def do(task: Callable[[int], None]) -> None:
        place = places.get()
        try:
            task(place)
        finally:
            places.put(place)

    with ThreadPoolExecutor(number) as pool:
        for future in [pool.submit(do, task) for task in tasks]:
            future.result()


def carry_out(
    job: Job, stop: StopOnSignal, timeout: float | None = None, place: int = 0, at_once: int = 1
) -> dict[str, Any]:
    """Do a job in a process of its own, unless it is done.

    A job that fails, dies or takes too long leaves ``error`` in its result and ends nothing else;
    it is tried again next time. A signal is passed on, so that the job keeps what it has.

    Args:
        job: what to do.
        stop: watched meanwhile.
        timeout: seconds it may take.
        place: which of those that run at a time it is; of several devices that
            ``CUDA_VISIBLE_DEVICES`` lists each takes one in turn.
        at_once: how many run at a time.

    Returns:
        what was measured, with ``done``; or ``error``; or neither if a signal came.
    """
    found = job.found()
    if is_done(found) or stop.received:
        return found
    _await_orphan(job)
    began = time.monotonic()
    code, late = _watch(job, stop, timeout, place)
    found = job.found()
    if is_done(found):
        found["process_seconds"] = round(time.monotonic() - began, 1)
        found["at_once"] = at_once
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


def _watch(job: Job, stop: StopOnSignal, timeout: float | None, place: int) -> tuple[int, bool]:
    """Run a worker to its end; give its exit code, and whether it took too long."""
    begun = time.monotonic()
    command = (sys.executable, "-m", job.worker)
    # A session of its own: Ctrl-C must reach it once, through us, or it would insist.
    worker = subprocess.Popen(  # noqa: S603 - our own module
        command,
        stdin=subprocess.PIPE,
        stdout=2,
        start_new_session=True,
        env={**os.environ, **variables_for(place)},
    )
    late = False
    try:
        assert worker.stdin is not None
        with suppress(BrokenPipeError):  # it has died; its exit code tells
            # It stays open: at its end the worker knows that we are gone.
            worker.stdin.write(json.dumps(job.order()).encode() + b"\n")
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


def serve(deeds: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]]) -> None:
    """Do the job that stands on the standard input, and write what was measured: a worker's main.

    Args:
        deeds: by name, as ``Job.do`` has it; each takes the order and returns what it measured,
            with ``done``.
    """
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    kept = {"settings": order["settings"]}
    activation.start_lean()
    try:
        found = deeds[order["do"]](order)
    except GenkitError as error:
        found = {"error": str(error)}
    except Exception as error:  # noqa: BLE001 - of a model's author; it becomes the job's
        traceback.print_exc()
        found = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
    write_json(Path(order["result"]), {**kept, **found})
    sys.exit(1 if "error" in found else 0)


def _end_with_parent() -> None:
    """Ask this process to end when the one that wants its result is gone: its pipe closes."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
