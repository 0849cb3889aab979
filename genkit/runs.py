"""The run directory: everything to do a run again, what happened, what came out.

runs/<name>/
  plan.json  environment.json   settings; versions, plugins, device, data
  status.json                   running, done, stopped or failed
  metrics.jsonl                 one object a step
  checkpoints/<step>/           see genkit.training.checkpoints
  samples/<step>.png            sample grids from fixed noise
  model/                        the exported copy
"""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from genkit.errors import GenkitError, RunError, UsageError
from genkit.fitting import FitSettings, Position
from genkit.plan import Plan, load_plan

if TYPE_CHECKING:
    from genkit.engine.state import ModelState
    from genkit.model import Model

DEFAULT_RUNS_DIR = Path("runs")
SAMPLES_IN_GRID = 64
_FLUSH_SECONDS = 1.0


class UnsavedRun:
    """A run that lives in memory only: what ``Model.fit`` trains in."""

    def __init__(self, settings: FitSettings) -> None:
        self.settings = settings

    def restore(self, state: ModelState) -> Position:  # noqa: ARG002
        """Begin at the beginning."""
        return Position()

    def log(self, row: Mapping[str, Any]) -> None:
        """Keep nothing."""

    def save_samples(self, step: int, model: Model) -> None:
        """Keep nothing."""

    def save_checkpoint(self, state: ModelState, position: Position) -> None:
        """Keep nothing."""


class Run:
    """One run directory.

    Args:
        path: the directory.
        plan: the plan it carries out.
    """

    def __init__(self, path: Path, plan: Plan) -> None:
        self.path = path
        self.plan = plan
        self.settings = plan.settings()
        self.until: int | None = None
        self._metrics: IO[str] | None = None
        self._flushed = 0.0

    @classmethod
    def create(
        cls, plan: Plan, environment: Mapping[str, Any], runs_dir: Path, name: str | None
    ) -> Run:
        """Make a new run directory, whole or not at all.

        Raises:
            RunError: it exists already.
        """
        name = name or f"{plan.model}-{plan.dataset}-{time.strftime('%Y%m%d-%H%M%S')}"
        path = runs_dir / name
        check_free(path)
        partial = runs_dir / f".{name}.{os.getpid()}.partial"
        partial.mkdir(parents=True)
        try:
            write_json(partial / "plan.json", plan.model_dump(mode="json"))
            write_json(partial / "environment.json", environment)
            write_json(partial / "status.json", {"state": "new", "step": 0})
            partial.rename(path)
        except OSError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return cls(path, plan)

    @classmethod
    def open(cls, path: Path) -> Run:
        """Open an existing run directory.

        Raises:
            RunError: there is no run at that path.
            DataError: its plan is damaged.
        """
        try:
            text = (path / "plan.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise RunError(
                f"Expected a run directory with a plan.json; received {str(path)!r}.",
                "See what is there with: genkit runs",
            ) from None
        return cls(path, load_plan(text))

    @property
    def checkpoints(self) -> Path:
        return self.path / "checkpoints"

    def environment(self) -> dict[str, Any]:
        """Read what the run was made with.

        Raises:
            RunError: the file is missing or damaged.
        """
        return read_json(self.path / "environment.json")

    def go_on_for(self, more_steps: int) -> None:
        """Train this many steps from the last checkpoint, whatever length the plan has.

        Raises:
            UsageError: fewer than one step.
        """
        from genkit.training import checkpoints

        if more_steps < 1:
            raise UsageError(
                f"Expected a number of further steps of at least 1; received {more_steps}."
            )
        self.go_on_until(max(checkpoints.steps(self.checkpoints), default=0) + more_steps)

    def go_on_until(self, step: int) -> None:
        """Train until this step is done, whatever length the plan has."""
        self.settings = replace(self.settings, steps=step, epochs=None, seconds=None)
        self.until = step

    def interrupted_goal(self) -> int | None:
        """Give the step that an interrupted ``resume --steps`` was to reach, if there was one."""
        status = self.status()
        return None if status["state"] == "done" else status.get("until")

    def status(self) -> dict[str, Any]:
        """Read the run's state; one that says running but has no process was killed."""
        try:
            status = read_json(self.path / "status.json")
        except RunError:
            status = {}
        if "state" not in status:
            return {"state": "damaged", "step": 0}
        if status.get("state") == "running" and not _is_locked(self.path):
            status["state"] = "killed"
        return status

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
        from filelock import FileLock, Timeout

        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            owner = self.status()
            raise RunError(
                f"The run {self.path} is being written by process {owner.get('pid')} "
                f"on {owner.get('host')}.",
                "Wait for it, or stop it.",
            ) from None
        try:
            self.set_status(
                "running", self.status().get("step", 0), pid=os.getpid(), host=socket.gethostname()
            )
            yield
        finally:
            if self._metrics is not None:
                self._metrics.close()
                self._metrics = None
            lock.release()

    def restore(self, state: ModelState) -> Position:
        """Load the last checkpoint, if there is one, and cut the log back to its step."""
        from genkit.training import checkpoints

        if not checkpoints.steps(self.checkpoints):
            return Position()
        position = checkpoints.restore(checkpoints.last(self.checkpoints), state)
        self._cut_metrics(position.step)
        return position

    def log(self, row: Mapping[str, Any]) -> None:
        """Append a line to ``metrics.jsonl``."""
        if self._metrics is None:
            self._metrics = (self.path / "metrics.jsonl").open("a", encoding="utf-8")
        self._metrics.write(json.dumps(finite(row)) + "\n")
        if time.monotonic() - self._flushed > _FLUSH_SECONDS:
            self._metrics.flush()
            self._flushed = time.monotonic()

    def metrics(self) -> list[dict[str, Any]]:
        """Read ``metrics.jsonl``, leaving out a last line that a kill has torn."""
        rows = []
        try:
            with (self.path / "metrics.jsonl").open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    row = _parse_row(line)
                    if row is None:
                        break
                    rows.append(row)
        except FileNotFoundError:
            return []
        return rows

    def save_samples(self, step: int, model: Model) -> None:
        """Draw a grid of samples from fixed noise."""
        from genkit.report import images

        schema = model.schema
        if schema is None or "generate" not in model.capabilities or not images.can_draw(schema):
            return
        with model.averaged_weights():
            samples = model.generate(SAMPLES_IN_GRID, seed=self.settings.seed)
        folder = self.path / "samples"
        folder.mkdir(exist_ok=True)
        images.save_grid(folder / f"{step:08d}.png", samples, schema)

    def save_checkpoint(self, state: ModelState, position: Position) -> None:
        """Write a checkpoint; what was logged before it is on disk too."""
        from genkit.training import checkpoints

        if self._metrics is not None:
            self._metrics.flush()
        checkpoints.save(self.checkpoints, state, position)

    def _cut_metrics(self, step: int) -> None:
        """Drop lines after a checkpoint: the steps they tell of will be done again."""
        file = self.path / "metrics.jsonl"
        rows = [row for row in self.metrics() if row["step"] <= step]
        if file.exists():
            write_text(file, "".join(json.dumps(row) + "\n" for row in rows))


def finite(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give the row with what JSON has no word for, NaN and infinity, as None."""
    return {
        key: None if isinstance(value, float) and not math.isfinite(value) else value
        for key, value in row.items()
    }


def _parse_row(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and isinstance(row.get("step"), int) else None


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


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        RunError: it is missing, damaged or no object.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"The file {path} can't be read: {error}.") from error
    if not isinstance(data, dict):
        raise RunError(f"The file {path} can't be read: expected a JSON object.")
    return data


def write_json(path: Path, data: Mapping[str, Any]) -> None:
    """Write a JSON object, whole or not at all."""
    write_text(path, json.dumps(data, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
        raise


def _is_locked(path: Path) -> bool:
    from filelock import FileLock, Timeout

    if not (path / ".lock").exists():
        return False
    lock = FileLock(path / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False
