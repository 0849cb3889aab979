"""What a listing tells of a run, from the smallest part of its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from genkit.errors import GenkitError
from genkit.files import reason_of
from genkit.plan.plan import load_plan
from genkit.plugins.display import Displayed, Rows
from genkit.runs.finding import created
from genkit.runs.headline import Headline, headline
from genkit.runs.kept_figures import KeptFigures, read_figures
from genkit.runs.metrics_log import MetricsLog
from genkit.runs.notes import read_note
from genkit.runs.status import read_status

_POSITION = ("step", "epoch", "seconds")


@dataclass(frozen=True)
class RunSummary(Displayed):
    """A run in a listing; a notebook displays the run.

    Args:
        path: the run directory.
        created: when it was made, in local time.
        model: its name; empty if the plan can't be read, and so for the next two.
        dataset: its name.
        backend: what it was begun with.
        state: ``new``, ``running``, ``done``, ``stopped``, ``killed``, ``failed`` or ``damaged``.
        step: training steps done.
        seconds: training time of all its sittings; None if none was logged.
        losses: of the last step; what isn't finite is None.
        headline: the one number that stands for it.
        note: what somebody wrote about it.
        problem: why it is damaged.
    """

    path: Path
    created: datetime
    model: str = ""
    dataset: str = ""
    backend: str = ""
    state: str = "damaged"
    step: int = 0
    seconds: float | None = None
    losses: Mapping[str, float | None] = field(default_factory=dict)
    headline: Headline | None = None
    note: str = ""
    problem: str = ""

    @property
    def name(self) -> str:
        return self.path.name

    def to_dict(self) -> dict[str, Any]:
        """Return the form that ``genkit runs --json`` prints."""
        return {
            "run": str(self.path),
            "name": self.name,
            "created": self.created.isoformat(timespec="seconds"),
            "model": self.model,
            "dataset": self.dataset,
            "backend": self.backend,
            "state": self.state,
            "step": self.step,
            "seconds": self.seconds,
            "metrics": dict(self.losses),
            "figure": self.headline.to_dict() if self.headline else None,
            "note": self.note,
            "problem": self.problem,
        }


class Runs(list[RunSummary], Displayed):
    """Runs of a listing, that print as a table."""

    def rows(self) -> Rows:
        """Return what a table tells of each run: a word or two of all, and its headline figure."""
        return Rows(
            {
                "run": run.name,
                "created": f"{run.created:%Y-%m-%d %H:%M}",
                "model": run.model,
                "data": run.dataset,
                "backend": run.backend,
                "state": run.state,
                "steps": run.step,
                "seconds": None if run.seconds is None else round(run.seconds, 1),
                "figure": "" if run.headline is None else str(run.headline),
                "note": run.note or run.problem,
            }
            for run in self
        )

    def __repr__(self) -> str:
        return repr(self.rows())


def summarize_run(run: Path) -> RunSummary:
    """Summarize a run, whatever is damaged in it; of its log only the end is read.

    Args:
        run: the run directory.
    """
    status, last = read_status(run), _last_row(run)
    step = max(_whole(status.get("step")), _whole(last.get("step")))
    losses = {key: _number(value) for key, value in last.items() if key not in _POSITION}
    about: dict[str, Any] = {
        "path": run,
        "created": created(run),
        "step": step,
        "seconds": _number(last.get("seconds")),
        "losses": losses,
        "note": read_note(run),
    }
    try:
        plan = load_plan((run / "plan.json").read_text(encoding="utf-8"))
    except (GenkitError, OSError, UnicodeDecodeError) as error:
        return RunSummary(
            **about, headline=headline(KeptFigures(), losses, step), problem=reason_of(error)
        )
    problem, figures = "", KeptFigures()
    try:
        figures = read_figures(run)
    except GenkitError as error:
        problem = error.message
    return RunSummary(
        **about,
        model=plan.model,
        dataset=plan.dataset,
        backend=plan.backend,
        state=str(status["state"]),
        headline=headline(figures, losses, step),
        problem=problem,
    )


def _last_row(run: Path) -> dict[str, Any]:
    try:
        return MetricsLog(run / "metrics.jsonl").last() or {}
    except OSError:
        return {}


def _whole(value: Any) -> int:
    return value if type(value) is int else 0


def _number(value: Any) -> float | None:
    return float(value) if type(value) in {int, float} else None
