"""The runs of a folder."""

from __future__ import annotations

from pathlib import Path

from genkit.errors import GenkitError
from genkit.runs.run import Run


def find_runs(runs_dir: Path) -> list[Run]:
    """List the runs in a folder, newest first."""
    if not runs_dir.is_dir():
        return []
    found = []
    for plan in runs_dir.glob("[!.]*/plan.json"):
        try:
            found.append((plan.stat().st_mtime, Run.open(plan.parent)))
        except (GenkitError, OSError):
            continue  # one damaged run must not hide the others
    return [run for _, run in sorted(found, key=lambda pair: pair[0], reverse=True)]
