"""The runs of a folder: listed, sorted and filtered."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from genkit.errors import UsageError
from genkit.plugins.names import suggestion
from genkit.runs.finding import newest_first, run_folders
from genkit.runs.names import DEFAULT_RUNS_DIR
from genkit.runs.run_summary import Runs, RunSummary, summarize_run


def _by_figure(run: RunSummary) -> tuple[Any, ...]:
    """Rank by the headline figure, the best first; what was not measured comes last."""
    found = run.headline
    if found is None or found.value is None or not math.isfinite(found.value):
        return (2, found.name if found else "", 0.0)
    sign = -1 if found.direction == "max" else 1
    return (0 if found.is_measured else 1, found.name, sign * found.value)


_ORDERS: dict[str, Callable[[RunSummary], Any]] = {
    "date": lambda _: 0,  # as they are found: the newest first
    "name": lambda run: run.name,
    "model": lambda run: run.model,
    "dataset": lambda run: run.dataset,
    "state": lambda run: run.state,
    "duration": lambda run: -(run.seconds or 0.0),
    "step": lambda run: -run.step,
    "figure": _by_figure,
}
SORTS = tuple(_ORDERS)
"""What runs can be sorted by."""
FILTERS = ("name", "model", "dataset", "backend", "state", "note")
"""What runs can be filtered by."""


def list_runs(
    runs_dir: str | Path = DEFAULT_RUNS_DIR, *, sort: str = "date", filters: Iterable[str] = ()
) -> Runs:
    """List the runs of a folder, damaged ones too.

    Args:
        runs_dir: the folder; one that isn't there holds none.
        sort: one of ``SORTS``: ``date`` puts the newest first, ``duration`` and ``step`` the
            longest, ``figure`` the best; equal ones stay newest first.
        filters: each a pair, ``state=failed``, ``model=*gan``, ``state=stopped,killed``; or a word
            that stands in the name or the note. All of them must hold.

    Returns:
        a list of summaries that prints as a table; ``genkit.load`` and ``genkit.open_run`` take
        each of them.

    Raises:
        UsageError: no such order, or no such key of a filter.
    """
    if sort not in _ORDERS:
        raise UsageError(
            f"Expected --sort {', '.join(SORTS)}; received {sort!r}.", suggestion(sort, SORTS)
        )
    checks = [_check(text) for text in filters]
    found = (summarize_run(run) for run in newest_first(run_folders(Path(runs_dir))))
    kept = (run for run in found if all(check(run) for check in checks))
    return Runs(sorted(kept, key=_ORDERS[sort]))


def _check(text: str) -> Callable[[RunSummary], bool]:
    """Return what a filter asks of a run."""
    key, equals, patterns = text.partition("=")
    if not equals:
        word = text.casefold()
        return lambda run: word in run.name.casefold() or word in run.note.casefold()
    if key not in FILTERS:
        raise UsageError(
            f"Expected --filter KEY=PATTERN with a key of {', '.join(FILTERS)}; received {text!r}.",
            suggestion(key, FILTERS),
        )
    allowed = [part.strip().casefold() for part in patterns.split(",")]
    return lambda run: any(fnmatchcase(getattr(run, key).casefold(), each) for each in allowed)
