"""What runs are called, and whether a name is free."""

from __future__ import annotations

import glob
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING

from genkit.errors import RunError, UsageError
from genkit.files import can_be_shown, exists
from genkit.runs import locks

if TYPE_CHECKING:
    from genkit.plan.plan import Plan  # with pydantic, which a list of names can do without

DEFAULT_RUNS_DIR = Path("runs")
_LONGEST = 200  # of 255 that file systems have: names beside it are made of it
EXPORT_CONFIG, EXPORT_WEIGHTS = "config.json", "weights.safetensors"
"""The files of an exported model: genkit.runs.export."""
MODEL_FOLDER = "model"
"""Where a run has its model in that form."""
LATEST = "latest"
"""Stands for the newest run wherever a run is asked for."""


def default_name(plan: Plan) -> str:
    """Name a run after its model, its data and the time."""
    return f"{plan.model}-{plan.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"


def step_name(step: int) -> str:
    """Return what is called after a step: its checkpoint, its samples."""
    return f"{step:08d}"


def is_run(path: Path) -> bool:
    """Whether there is a run directory at a path."""
    return exists(path / "plan.json")


def is_export(path: Path) -> bool:
    """Whether a folder looks like an exported model."""
    return exists(path / EXPORT_CONFIG) and exists(path / EXPORT_WEIGHTS)


def check_name(name: str, what: str = "run name") -> None:
    """Refuse a name that is none of a folder within another.

    Args:
        name: a folder's.
        what: what the name is called.

    Raises:
        UsageError: it is empty or long, has slashes, a leading dot or control characters, or
            stands for another run.
    """
    if name == LATEST:
        raise UsageError(
            f"Expected a {what} other than {LATEST!r}: that stands for the newest run.",
            f"Add a word, such as {LATEST}-try.",
        )
    if Path(name).name != name or not name or name.startswith("."):
        raise UsageError(f"Expected a {what} without slashes or a leading dot; received {name!r}.")
    if not can_be_shown(name):
        raise UsageError(f"Expected a {what} of printable characters; received {name!r}.")
    if (size := len(name.encode())) > _LONGEST:
        raise UsageError(f"Expected a {what} of at most {_LONGEST} bytes; received {size}.")


def folder_for(out: Path | None, name: str | None, home: Path, default: str) -> Path:
    """Return the folder that a command writes to.

    Args:
        out: the folder itself, if one was asked for.
        name: its name in the usual place, if one was asked for.
        home: the usual place.
        default: its name otherwise.

    Raises:
        UsageError: both were asked for, or the name is none.
    """
    if out is not None and name is not None:
        raise UsageError(
            f"Expected --out or --name; received both, {str(out)!r} and {name!r}.",
            f"--name NAME is short for --out {home}/NAME.",
        )
    if name is not None:
        check_name(name, "name")
    return out or home / (name or default)


def check_free(path: Path) -> None:
    """Refuse a run directory that exists.

    Raises:
        RunError: with the commands that go on with it or avoid it.
    """
    if path.exists():
        raise RunError(
            f"The run directory {path} exists already.",
            f"Go on with it (genkit resume {path}) or choose another --name.",
        )


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed while they made this run have left."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        if not locks.is_alive(leftover.name.split(".")[-2]):
            shutil.rmtree(leftover, ignore_errors=True)
