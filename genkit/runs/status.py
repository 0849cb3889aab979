"""``status.json``: where a run stands, and whether a process holds it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from genkit.errors import RunError
from genkit.files import read_json
from genkit.runs import locks

_LOCK = ".lock"


def read_status(run: Path) -> dict[str, Any]:
    """Read a run's state; one that says running but has no process was killed.

    Args:
        run: the run directory.

    Returns:
        what the file says; ``state`` and ``step`` at least. A state of ``damaged`` stands for a
        file that can't be read.
    """
    try:
        status = read_json(run / "status.json")
    except RunError:
        status = {}
    if "state" not in status:
        return {"state": "damaged", "step": 0}
    if status.get("state") == "running" and not locks.is_held(run / _LOCK):
        status["state"] = "killed"
    return status


def held(run: Path) -> AbstractContextManager[None]:
    """Hold a run directory: nobody else writes into it, or moves it, meanwhile.

    Raises:
        RunError: another process holds it.
    """
    return locks.holding(run / _LOCK, f"The run {run}", lambda: read_status(run))
