"""Runs renamed, put into the bin, and brought back.

The bin is a folder beside the runs, ``.bin``. Each run in it stands in a folder of its own, so that
two of one name never meet: ``runs/.bin/20260101-120000-x8w2/mine``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from genkit.errors import RunError
from genkit.plugins.names import suggestion
from genkit.runs.names import check_name, is_run
from genkit.runs.status import held

_BIN = ".bin"


@dataclass(frozen=True)
class Binned:
    """A run in the bin.

    Args:
        path: where it is now.
        since: when it was put there, ``20260101-120000``.
    """

    path: Path
    since: str

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def runs_dir(self) -> Path:
        """The folder of runs that it was in."""
        return self.path.parents[2]

    def size(self) -> int:
        """Return how many bytes its files have."""
        return sum(
            Path(parent, name).lstat().st_size
            for parent, _, names in os.walk(self.path)
            for name in names
        )


def rename_run(run: Path, name: str) -> Path:
    """Call a run by another name; return its new directory.

    Raises:
        UsageError: the name is none of a folder.
        RunError: it is no run, the name is taken, or a process is writing the run.
    """
    run = _checked(run)
    check_name(name)
    new = run.parent / name
    if new.exists():
        raise RunError(f"The run directory {new} exists already.", "Choose a name that is free.")
    with held(run):
        run.rename(new)
    return new


def bin_runs(runs: Sequence[Path]) -> list[Binned]:
    """Put runs into the bins of their folders: all of them, or none.

    Raises:
        RunError: one is no run, or a process is writing it.
    """
    runs = list(dict.fromkeys(map(_checked, runs)))
    with ExitStack() as stack:
        for run in runs:
            stack.enter_context(held(run))
        return [_put(run) for run in runs]


def _put(run: Path) -> Binned:
    bin_ = run.parent / _BIN
    bin_.mkdir(exist_ok=True)
    since = time.strftime("%Y%m%d-%H%M%S")
    place = Path(tempfile.mkdtemp(prefix=f"{since}-", dir=bin_), run.name)
    try:
        run.rename(place)
    except OSError:
        place.parent.rmdir()
        raise
    return Binned(place, since)


def binned_runs(runs_dir: Path) -> list[Binned]:
    """List what is in the bin of a folder of runs, the latest first."""
    places = sorted((runs_dir / _BIN).glob("*/*"), reverse=True)
    return [Binned(place, place.parent.name[:15]) for place in places]


def restore_run(name: str, runs_dir: Path) -> Path:
    """Bring a run back from the bin, of several of one name the latest; return its directory.

    Raises:
        RunError: none of that name is in the bin, or the name is taken meanwhile.
    """
    binned = binned_runs(runs_dir)
    found = next((each for each in binned if each.name == name), None)
    if found is None:
        raise RunError(
            f"Expected the name of a run in the bin of {runs_dir}; received {name!r}.",
            suggestion(name, [each.name for each in binned])
            or "See what is there with: genkit runs bin",
        )
    place = runs_dir / name
    if place.exists():
        raise RunError(
            f"The run directory {place} exists already.",
            f"Rename that one first: genkit runs rename {name} OTHER",
        )
    found.path.rename(place)
    found.path.parent.rmdir()
    return place


def empty_bin(runs_dir: Path) -> list[Binned]:
    """Delete for good what is in the bin of a folder of runs; return what was there."""
    binned = binned_runs(runs_dir)
    if (runs_dir / _BIN).is_dir():
        shutil.rmtree(runs_dir / _BIN)
    return binned


def _checked(run: Path) -> Path:
    """Return a run's directory by a path that ends with its name, which ``.`` doesn't."""
    if not is_run(run):
        raise RunError(
            f"Expected a run directory with a plan.json; received {str(run)!r}.",
            "An exported model is a folder like any other: move it as such.",
        )
    return run if run.name not in {"", ".."} else run.resolve()
