"""Which run somebody means: its directory, its name alone, or ``latest``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from genkit.errors import RunError
from genkit.files import read_json
from genkit.runs.names import DEFAULT_RUNS_DIR, LATEST, is_export, is_run

_SHOWN = 3
"""How many runs an error names."""


def run_folders(runs_dir: Path) -> list[Path]:
    """List the run directories in a folder, damaged ones too, in no order; none is read."""
    try:
        return [plan.parent for plan in runs_dir.glob("[!.]*/plan.json")]
    except OSError:
        return []


def created(run: Path) -> datetime:
    """Return when a run was made, in local time; its plan's own time if it doesn't say."""
    try:
        return datetime.fromisoformat(read_json(run / "environment.json")["created"]).astimezone()
    except (RunError, KeyError, TypeError, ValueError, OverflowError):
        return datetime.fromtimestamp(_planned(run)).astimezone()


def newest_first(runs: list[Path]) -> list[Path]:
    """Sort runs by when they were made, the newest first."""
    return sorted(runs, key=lambda run: (created(run), _planned(run)), reverse=True)


def known_run(given: str | Path, runs_dir: Path = DEFAULT_RUNS_DIR) -> Path | None:
    """Return the directory that somebody means; None if there is no such run or exported model.

    What is there comes first: a directory of that path, then a run of that name in the runs folder,
    then, for ``latest``, the newest run there.
    """
    path = Path(given)
    try:
        if is_run(path) or is_export(path):
            return path
        if not _is_bare(path):
            return None
        if is_run(runs_dir / path):
            return runs_dir / path
    except OSError:  # a word may be too long for a name
        return None
    if str(path) == LATEST:
        return next(iter(newest_first(run_folders(runs_dir))), None)
    return None


def find_run(given: str | Path, runs_dir: Path = DEFAULT_RUNS_DIR) -> Path:
    """Return the directory of the run, or of the exported model, that somebody means.

    Args:
        given: a directory; or, of a run in the runs folder, its name alone; or ``latest``, the
            newest run there.
        runs_dir: the folder that holds the runs.

    Raises:
        RunError: there is none; the hint names those that may be meant.
    """
    found = known_run(given, runs_dir)
    if found is not None:
        return found
    raise RunError(
        f"Expected a run directory with a plan.json; received {str(given)!r}.",
        _nearest(Path(given), runs_dir) or "See what is there with: genkit runs",
    )


def with_init_found(settings: Mapping[str, Any], runs_dir: Path) -> dict[str, Any]:
    """Return settings of a run whose ``init``, where there is one, is a run's directory.

    Raises:
        RunError: it names no run.
    """
    init = settings.get("init")
    return {**settings, **({"init": str(find_run(init, runs_dir))} if init else {})}


def _is_bare(path: Path) -> bool:
    return str(path) == path.name and not path.name.startswith(".")


def _planned(run: Path) -> float:
    try:
        return (run / "plan.json").stat().st_mtime
    except OSError:  # it was removed meanwhile
        return 0.0


def _nearest(path: Path, runs_dir: Path) -> str:
    """Return a hint that names the runs that may be meant; empty if none is near."""
    from difflib import get_close_matches  # only a mistake needs it

    inside = newest_first(run_folders(path))
    if inside:
        return f"It holds runs. Name one of them, such as {str(inside[0])!r}."
    bare = _is_bare(path)
    folder = runs_dir if bare else path.parent
    names = [run.name for run in newest_first(run_folders(folder))]
    if str(path) == LATEST:
        return f"There is no run in {folder} yet. Begin with: genkit run vae"
    known = [*names, *([LATEST] if bare and names else [])]
    meant = [name for name in known if path.name and name.startswith(path.name)][:_SHOWN]
    meant = meant or get_close_matches(path.name, known, n=2)
    shown = (repr(name if bare else str(folder / name)) for name in meant)
    return f"Did you mean {' or '.join(shown)}?" if meant else ""
