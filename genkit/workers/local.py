"""Workers started, watched, and started again when one dies; on this machine a process each.

A worker is told what to do on stdin, which stays open: at its end it knows that we are gone. What
came of it is a file: how it ended, or why it couldn't go on.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from genkit import errors
from genkit.errors import GenkitError, RunError, TrainingError
from genkit.files import read_json
from genkit.live import print_line
from genkit.models.training.signals import StopOnSignal
from genkit.workers.launcher import LOST, Ended, Launcher, Stop
from genkit.workers.line import free_port
from genkit.workers.team import Team, variables_of, without_places

RESTARTS = 3
"""How often workers are started again without a new checkpoint in between."""

_HOST = "127.0.0.1"
_LOOK_SECONDS = 0.1
_GRACE_SECONDS = 5.0  # in which the others say why they end, too


class LocalLauncher(Launcher):
    """Starts all workers on this machine."""

    def run(
        self, command: Sequence[str], size: int, order: Mapping[str, Any], stop: Stop
    ) -> list[Ended]:
        port = free_port(_HOST)
        teams = [Team(rank, size, rank, _HOST, port) for rank in range(size)]
        return run_here(command, teams, size, order, stop)


def run_workers(
    launcher: Launcher,
    command: Sequence[str],
    size: int,
    order: Callable[[], Mapping[str, Any]],
    progress: Callable[[], int],
) -> dict[str, Any]:
    """Have a number of workers do something together.

    Args:
        launcher: what starts them.
        command: a program that takes its order from stdin.
        size: how many.
        order: returns what to do; asked again when they are started again.
        progress: returns the step from which they would go on.

    Returns:
        the outcome that the first worker left.

    Raises:
        GenkitError: that of a worker; or they died too often.
        KeyboardInterrupt: a signal came before they trained.
    """
    attempts, reached = 0, -1
    with StopOnSignal() as stop:
        while True:
            begun = progress()
            attempts, reached = (attempts if begun == reached else 0), begun
            ended = launcher.run(command, size, order(), stop)
            if all(each.code == 0 for each in ended):
                outcome: dict[str, Any] = ended[0].result["outcome"]
                return outcome
            if stop.received:
                raise KeyboardInterrupt  # it came before they could stop well
            _raise_errors(ended)
            attempts += 1
            what = _said(ended)
            if attempts > RESTARTS:
                raise RunError(
                    f"{what} The run was begun again {attempts - 1} times from step {begun}.",
                    "Go on with it: genkit resume RUN",
                )
            print_line(
                f"warning: {what} All {size} begin again from step {progress()}, "
                f"{attempts} of at most {RESTARTS} times without a new checkpoint."
            )


def run_here(
    command: Sequence[str],
    teams: Sequence[Team],
    share: int,
    order: Mapping[str, Any],
    stop: Stop,
    *,
    env: Mapping[str, str] | None = None,
    log: BinaryIO | None = None,
) -> list[Ended]:
    """Start workers on this machine, and wait for all; when one ends badly the others end, too.

    Args:
        command: the program of each.
        teams: the place of each.
        share: how many have the machine's cores among them.
        order: what each is told.
        stop: what it receives is passed on to all, once.
        env: the environment; this process's if not given.
        log: where the first worker, of all there are, writes; stderr if not given.

    Returns:
        how each has ended.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="genkit-workers-")))
        workers: list[subprocess.Popen[bytes]] = []
        stack.callback(_kill, workers)
        for team in teams:
            # The first one is heard and seen as if it were alone; of another one the end matters.
            out = log
            if team.rank:
                out = stack.enter_context((folder / f"{team.rank}.log").open("wb"))
            worker = subprocess.Popen(  # noqa: S603 - our own program
                command,
                stdin=subprocess.PIPE,
                stdout=2 if out is None else out,
                stderr=out,
                # A session of its own: Ctrl-C must reach it once, through us, or it would insist.
                start_new_session=True,
                env=without_places(os.environ if env is None else env) | variables_of(team),
            )
            workers.append(worker)
            _divide_cores(worker.pid, team.local_rank, share)
            assert worker.stdin is not None
            told = {**order, "result": str(folder / f"{team.rank}.json")}
            with suppress(BrokenPipeError):  # it has died; its exit code tells
                worker.stdin.write(json.dumps(told).encode() + b"\n")
                worker.stdin.flush()
        codes = _wait(workers, stop)
        return [
            Ended(team.rank, code, _result(folder, team.rank), _last_line(folder, team.rank))
            for team, code in zip(teams, codes, strict=True)
        ]


def _wait(workers: Sequence[subprocess.Popen[bytes]], stop: Stop) -> list[int | None]:
    """Wait until all have ended, or one has badly, and pass on a signal that comes meanwhile.

    Returns:
        the exit codes of those that ended by themselves.
    """
    passed, late = 0, float("inf")
    while any(worker.poll() is None for worker in workers) and time.monotonic() < late:
        if stop.received and not passed:
            passed = stop.received
            for worker in workers:
                worker.send_signal(passed)
        if late == float("inf") and any(worker.poll() for worker in workers):
            late = time.monotonic() + _GRACE_SECONDS
        time.sleep(_LOOK_SECONDS)
    codes = [worker.poll() for worker in workers]
    _kill(workers)
    return codes


def _kill(workers: Sequence[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.kill()  # also one that was stopped
        worker.wait()
        assert worker.stdin is not None
        with suppress(OSError):
            worker.stdin.close()


def _divide_cores(pid: int, rank: int, size: int) -> None:
    """Give each worker its share of the cores: threads that share one wait for each other long."""
    if not hasattr(os, "sched_setaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    share = cores[rank * len(cores) // size : (rank + 1) * len(cores) // size]
    with suppress(OSError):  # it has died; its exit code tells
        os.sched_setaffinity(pid, share or [cores[rank % len(cores)]])


def _result(folder: Path, rank: int) -> dict[str, Any]:
    try:
        return read_json(folder / f"{rank}.json")
    except RunError:
        return {}


def _last_line(folder: Path, rank: int) -> str:
    with suppress(OSError):
        lines = (folder / f"{rank}.log").read_text(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
    return ""


def _raise_errors(ended: Sequence[Ended]) -> None:
    """Raise what a worker was refused; what another one's death has caused doesn't count."""
    # One that is aborted may have been so by its framework, when another one was refused.
    if any(each.dead and each.code not in (LOST, -signal.SIGABRT) for each in ended):
        return
    failures = [(each, each.result["error"]) for each in ended if "error" in each.result]
    for _, error in failures:
        kind = getattr(errors, str(error.get("error")), None)
        if isinstance(kind, type) and issubclass(kind, GenkitError):
            raise kind(str(error["message"]), str(error["hint"]))
    if any(each.dead for each in ended):
        return
    for each, error in failures:
        raise TrainingError(f"Worker {each.rank} failed: {error['message']}")
    _raise_exit(ended)


def _raise_exit(ended: Sequence[Ended]) -> NoReturn:
    worst = next(each for each in ended if each.code)
    told = f" {worst.last}" if worst.last else ""
    raise TrainingError(f"Worker {worst.rank} ended with exit code {worst.code}.{told}")


def _said(ended: Sequence[Ended]) -> str:
    """Say what became of the workers."""
    for each in ended:
        if each.code is not None and each.code < 0:
            return f"Worker {each.rank} was killed by signal {-each.code}."
    return next((str(each.result["lost"]) for each in ended if "lost" in each.result), "")
