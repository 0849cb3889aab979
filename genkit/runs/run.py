"""The run directory: everything to do a run again, what happened, what came out.

runs/<name>/
  plan.json  environment.json   settings; versions, plugins, device, data
  assets.safetensors            what a model needs of the data when it is used, for some data
  status.json                   running, done, stopped or failed
  metrics.jsonl                 one object a step
  evaluation.json               what was measured of its weights: genkit.runs.kept_figures
  statement.json                what its trainer has to say, for some: genkit.runs.statement
  checkpoints/<step>/           see genkit.runs.checkpoints
  samples/<step>.png            samples from fixed noise; .wav, .webp, .txt, .csv or .html of others
  samples/conditions.csv        what they were given, of a model that needs something
  model/                        the exported copy
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from genkit.errors import DataError, RunError, UsageError
from genkit.files import read_json, refuse_links, write_json
from genkit.plan.fitting import Position
from genkit.plan.plan import Plan, load_plan
from genkit.plugins.display import Displayed
from genkit.runs.assets import write_assets
from genkit.runs.kept_figures import KeptFigures, read_figures
from genkit.runs.metrics_log import MetricsLog
from genkit.runs.names import MODEL_FOLDER, check_free, remove_leftovers
from genkit.runs.statement import Statement, read_statement
from genkit.runs.status import held, read_status

if TYPE_CHECKING:
    import numpy as np

    from genkit.data import Source
    from genkit.engine.state import ModelState
    from genkit.models.model import Model
    from genkit.models.training.protocols import TrainingMetrics

_COPY = "Bring it back from a copy of the run."


class Run(Displayed):
    """One run directory.

    Args:
        path: the directory.
        plan: the plan it carries out.

    Attributes:
        draw: shows samples of a model in training; None for a run that nobody looks at.
        held_out: data for validation; None where there is none.
        watch: metrics of the model in training; None where none are watched.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self.plan = plan
        self.settings = plan.settings()
        self.until: int | None = None
        self.draw: Callable[[Run, int, Model], Path | None] | None = None
        self.held_out: Source | None = None
        self.watch: TrainingMetrics | None = None
        self._metrics = MetricsLog(path / "metrics.jsonl")

    def __repr__(self) -> str:
        status, plan = self.status(), self.plan
        count = status.get("step", 0)
        steps = f"{count:,} step{'s' if count != 1 else ''}"
        what = f"{plan.model} on {plan.dataset} with {plan.backend}"
        return f"<Run {self.path}: {what}; {status['state']}, {steps}>"

    @classmethod
    def create(
        cls,
        path: Path,
        plan: Plan,
        environment: Mapping[str, Any],
        assets: Mapping[str, np.ndarray] = MappingProxyType({}),
    ) -> Run:
        """Make a new run directory, whole or not at all.

        Args:
            path: where.
            plan: what it carries out.
            environment: what it is made with.
            assets: arrays of the data that its model needs when it is used.

        Raises:
            RunError: it exists already.
        """
        check_free(path)
        remove_leftovers(path)
        partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        partial.mkdir(parents=True)
        try:
            write_json(partial / "plan.json", plan.model_dump(mode="json"))
            write_json(partial / "environment.json", environment)
            write_json(partial / "status.json", {"state": "new", "step": 0})
            write_assets(partial, assets)
            partial.rename(path)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return cls(path, plan)

    @classmethod
    def open(cls, path: Path) -> Run:
        """Open an existing run directory.

        Raises:
            RunError: there is no run at that path, links lead out of it, or its plan is damaged.
        """
        try:
            text = (path / "plan.json").read_text(encoding="utf-8")
            refuse_links(path)
        except (OSError, ValueError):  # no text, or a name that is none of the system's
            raise RunError(
                f"Expected a run directory with a plan.json; received {str(path)!r}.",
                "See what is there with: genkit runs",
            ) from None
        try:
            return cls(path, load_plan(text))
        except DataError as error:
            raise RunError(f"The file {path / 'plan.json'}: {error}", _COPY) from error

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    @property
    def samples(self) -> Path:
        return self.path / "samples"

    @property
    def export(self) -> Path:
        return self.path / MODEL_FOLDER

    def environment(self) -> dict[str, Any]:
        """Read what the run was made with.

        Raises:
            RunError: the file is missing or damaged.
        """
        return read_json(self.path / "environment.json", _COPY)

    def note_sitting(self, environment: Mapping[str, Any]) -> None:
        """Record what a later sitting is done with, where it differs from the one before."""
        kept = self.environment()
        later = kept.get("later", [])
        new, old = (
            {key: value for key, value in one.items() if key not in ("created", "data", "later")}
            for one in (environment, later[-1] if later else kept)
        )
        if new != old:
            added = {"created": environment["created"], **new}
            write_json(self.path / "environment.json", {**kept, "later": [*later, added]})

    def go_on_for(self, more_steps: int) -> None:
        """Train this many steps from the last checkpoint, whatever length the plan has.

        Raises:
            UsageError: fewer than one step.
        """
        from genkit.runs import checkpoints

        if more_steps < 1:
            raise UsageError(
                f"Expected a number of further steps of at least 1; received {more_steps}."
            )
        self.go_on_until(max(checkpoints.steps(self.checkpoints), default=0) + more_steps)

    def go_on_until(self, step: int) -> None:
        """Train until this step is done, whatever length the plan has."""
        planned = self.plan.settings()
        self.settings = replace(planned, steps=step, epochs=None, seconds=None, planned=planned)
        self.until = step

    def interrupted_goal(self) -> int | None:
        """Return the step that an interrupted ``resume --steps`` was to reach, if there was one."""
        status = self.status()
        return None if status["state"] == "done" else status.get("until")

    def status(self) -> dict[str, Any]:
        """Read the run's state; one that says running but has no process was killed."""
        return read_status(self.path)

    def set_status(self, state: str, step: int, **more: Any) -> None:
        """Record the run's state."""
        if self.until is not None:
            more["until"] = self.until
        write_json(self.path / "status.json", {"state": state, "step": step, **more})

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the run for writing.

        Raises:
            RunError: another process holds it.
        """
        with held(self.path):
            step = self.status().get("step", 0)
            self.set_status("running", step, pid=os.getpid(), host=socket.gethostname())
            try:
                yield
            finally:
                with suppress(OSError):
                    self._metrics.flush()

    def restore(self, state: ModelState) -> Position:
        """Load the last checkpoint, if there is one, and cut the log back to its step."""
        from genkit.runs import checkpoints

        if not checkpoints.steps(self.checkpoints):
            self._metrics.cut(0)
            return Position()
        position = self.last_position(state)
        self._metrics.cut(position.step)
        if self.until is not None:
            position.finished = False
        return position

    def last_position(self, state: ModelState) -> Position:
        """Load the last checkpoint into a model; the log stays as it is.

        Raises:
            RunError: there is none, or it is damaged.
        """
        from genkit.runs import checkpoint_files, checkpoints

        return checkpoint_files.restore(checkpoints.last(self.checkpoints), state)

    def log(self, row: Mapping[str, Any]) -> None:
        """Append a line to ``metrics.jsonl``; if the disk refuses, training goes on."""
        self._metrics.append(row)

    def metrics(self) -> list[dict[str, Any]]:
        """Read ``metrics.jsonl``, leaving out a last line that a kill has torn."""
        return self._metrics.rows()

    def iter_metrics(self) -> Iterator[dict[str, Any]]:
        """Read ``metrics.jsonl`` row by row, in memory that doesn't grow with the run."""
        return iter(self._metrics)

    def last_row(self) -> dict[str, Any] | None:
        """Read the last line of ``metrics.jsonl`` that is whole; None if there is none."""
        return self._metrics.last()

    @property
    def history(self) -> dict[str, np.ndarray]:
        """``metrics.jsonl`` as columns: ``step``, ``epoch``, ``seconds`` and each loss, float64."""
        return self._metrics.columns()

    def figures(self) -> KeptFigures:
        """Read what was measured of the run's weights; nothing if nothing was.

        Raises:
            RunError: the file is damaged.
        """
        return read_figures(self.path)

    def statement(self) -> Statement:
        """Read what the run's trainer has to say; most have nothing.

        Raises:
            RunError: the file is damaged.
        """
        return read_statement(self.path)

    def save_samples(self, step: int, model: Model) -> Path | None:
        """Show samples from fixed noise where ``draw`` was set; return the file, if any."""
        return None if self.draw is None else self.draw(self, step, model)

    def save_checkpoint(self, state: ModelState, position: Position) -> None:
        """Write a checkpoint; what was logged before it is on the disk too.

        Raises:
            RunError: the disk refuses; older checkpoints stay.
        """
        from genkit.runs import checkpoints

        try:
            self.checkpoints.mkdir(exist_ok=True)
            self._metrics.keep()
        except OSError as error:
            raise checkpoints.refused(position.step, error) from error
        checkpoints.write_checkpoint(self.checkpoints, state, position, self.settings)
