"""Processes that do rounds in turn, so that what else the machine does meets all alike."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

_ROOT = Path(__file__).resolve().parents[1]


class Process:
    """One that is measured: a job of ``bench.worker`` on a backend.

    Args:
        job: what it does.
        backend: as in ``KERAS_BACKEND``.
    """

    def __init__(self, job: dict[str, Any], backend: str) -> None:
        one = {"OMP_NUM_THREADS": "1"} if job.get("cpus") == 1 else {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", json.dumps(job)],
            cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "KERAS_BACKEND": backend, **one},
        )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with self._process:
            pass

    def round(self) -> dict[str, float]:
        """Have it do a round; return the seconds of the wall and of the processor."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()
        told: dict[str, float] = json.loads(self._process.stdout.readline())
        return told


def in_turn(jobs: dict[str, tuple[dict[str, Any], str]], rounds: int) -> dict[str, Any]:
    """Measure several beside the first of them.

    Args:
        jobs: a job and a backend each, by name.
        rounds: how many each does, after one that doesn't count.

    Returns:
        ``rounds``, and by name the median seconds of a round, ``wall`` and ``cpu``, and the median,
        least and greatest ratio to the first one's of the same turn.
    """
    with ExitStack() as stack:
        each = {name: stack.enter_context(Process(*job)) for name, job in jobs.items()}
        for process in each.values():
            process.round()
        rows = [{name: process.round() for name, process in each.items()} for _ in range(rounds)]
    first = next(iter(jobs))
    found: dict[str, Any] = {"rounds": rounds}
    for name in jobs:
        found[name] = {
            kind: {
                "seconds": statistics.median(row[name][kind] for row in rows),
                "ratio": _spread([row[name][kind] / row[first][kind] for row in rows]),
            }
            for kind in ("wall", "cpu")
        }
    return found


def _spread(ratios: list[float]) -> list[float]:
    return [statistics.median(ratios), min(ratios), max(ratios)]
