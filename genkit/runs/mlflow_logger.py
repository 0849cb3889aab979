"""The callback ``mlflow``: a run's settings, losses, pictures and model in an MLflow store."""

from __future__ import annotations

import json
import logging
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

from genkit.errors import RunError, UsageError
from genkit.files import read_json, write_json
from genkit.plugins.entry_points import DISTRIBUTION
from genkit.runs.run import Run

_EXPERIMENT = "genkit"
_MOST_METRICS, _MOST_PARAMS, _LONGEST = 1000, 100, 6000  # MLflow's limits of one call and value
_STATUS = {"done": "FINISHED", "stopped": "KILLED", "failed": "FAILED"}


class MLflowLogger(keras.callbacks.Callback):
    """Logs a run to MLflow: to a SQLite store in the run directory, or where the user says.

    The environment variable ``MLFLOW_TRACKING_URI`` names another store or a server; without it
    nothing leaves the machine. A resumed run goes on as the same MLflow run, without gap or double.

    Args:
        folder: for the store, its artifacts, and which MLflow run it is.
        every: steps between two points of a curve; the first step is one of them.

    Raises:
        UsageError: MLflow is not installed, or ``every`` is less than 1.
    """

    may_lag = True  # it only writes down what it is told

    def __init__(self, folder: str = "mlflow", every: int = 10) -> None:
        super().__init__()
        # MLflow would otherwise report its use to its makers.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        try:
            import alembic  # noqa: F401 - with SQLAlchemy it makes the SQLite store
            import mlflow  # noqa: F401
            import sqlalchemy  # noqa: F401
        except ImportError as error:
            raise UsageError(
                f"Logging to MLflow needs its packages: {error}.",
                f"Install them with: pip install '{DISTRIBUTION}[mlflow]'",
            ) from error
        if every < 1:
            raise UsageError(f"Expected mlflow.every of at least 1; received {every}.")
        self._folder, self._every, self._step = Path(folder), every, 0
        self._run: Run | None = None
        self._id = ""
        self._waiting: list[Any] = []
        self._logged: dict[str, int] = {}

    def on_run_begin(self, folder: Path) -> None:
        """Begin or go on with the MLflow run of a run directory."""
        logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
        from mlflow import MlflowClient

        self._run = Run.open(folder)
        self._folder.mkdir(parents=True, exist_ok=True)
        store = (self._folder / "mlflow.db").resolve()
        theirs = os.environ.get("MLFLOW_TRACKING_URI")
        uri = theirs or f"sqlite:///{store}"
        artifacts = None if theirs else (self._folder / "artifacts").resolve().as_uri()
        self._client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        self._id = self._known_run() or self._new_run(folder.name, artifacts)
        self._log_settings(self._run.plan.model_dump(mode="json"))

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        if self._run is None:
            raise UsageError(
                "Expected a run directory to log to MLflow; received training without one.",
                "Train with genkit run or genkit.train.",
            )
        self._step = self.params["first_step"]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._step += 1
        if self._step == 1 or self._step % self._every == 0:
            self._add(logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        self._add({f"epoch_{name}": value for name, value in logs.items()})

    def on_samples(self, step: int, picture: Path) -> None:  # noqa: ARG002
        """Log samples, whatever file they stand in; its name says the step."""
        self._client.log_artifact(self._id, str(picture), "samples")

    def on_run_end(self, state: str) -> None:
        """Log the exported model with its card, and how the run ended."""
        if self._run is None or not self._id:
            return  # it never began
        self._flush()
        if state != "failed" and self._run.export.is_dir():
            self._client.log_artifacts(self._id, str(self._run.export), "model")
        self._client.set_terminated(self._id, _STATUS[state])

    def get_state(self) -> dict[str, Any]:
        """Hand over what waits; the store itself tells where it stands."""
        self._flush()
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take nothing: ``on_run_begin`` has asked the store."""

    def _known_run(self) -> str | None:
        """Go on with the MLflow run that was begun, if it is in this store."""
        from mlflow.exceptions import MlflowException

        try:
            known = str(read_json(self._folder / "run.json").get("run_id"))
        except RunError:
            return None
        if not re.fullmatch("[0-9a-f]{32}", known):
            return None
        try:
            metrics = self._client.get_run(known).data.metrics
        except MlflowException:
            return None  # another store than before
        self._logged = {
            name: max(point.step for point in self._client.get_metric_history(known, name))
            for name in metrics
        }
        self._client.update_run(known, status="RUNNING")
        return known

    def _new_run(self, name: str, artifacts: str | None) -> str:
        experiment = self._client.get_experiment_by_name(_EXPERIMENT)
        experiment_id = (
            experiment.experiment_id
            if experiment is not None
            else self._client.create_experiment(_EXPERIMENT, artifacts)
        )
        made = self._client.create_run(experiment_id, run_name=name)
        write_json(self._folder / "run.json", {"run_id": made.info.run_id})
        return str(made.info.run_id)

    def _log_settings(self, plan: Mapping[str, Any]) -> None:
        from mlflow.entities import Param

        flat: dict[str, Any] = {}
        for key, value in plan.items():
            inner = {f"{key}.{k}": v for k, v in value.items()} if isinstance(value, dict) else {}
            flat |= inner or {key: value}
        params = [
            Param(
                re.sub(r"[^\w. /-]", "_", key),
                (value if isinstance(value, str) else json.dumps(value))[:_LONGEST],
            )
            for key, value in flat.items()
        ]
        for start in range(0, len(params), _MOST_PARAMS):
            self._client.log_batch(self._id, params=params[start : start + _MOST_PARAMS])

    def _add(self, values: Mapping[str, float]) -> None:
        """Queue numbers of this step; those that the store has from before a kill stay."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._waiting += [
            Metric(name, value, now, self._step)
            for name, value in values.items()
            if self._step > self._logged.get(name, 0)
        ]
        if len(self._waiting) >= _MOST_METRICS // 2:
            self._flush()

    def _flush(self) -> None:
        for start in range(0, len(self._waiting), _MOST_METRICS):
            batch = self._waiting[start : start + _MOST_METRICS]
            self._client.log_batch(self._id, metrics=batch)
        self._waiting.clear()
