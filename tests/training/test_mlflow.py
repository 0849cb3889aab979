"""What an MLflow store has of a run, read back with MLflow's own client."""

import json
import os
import shutil
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest

import genkit
from genkit.errors import CallbackError, UsageError
from genkit.plan.plan import make_plan
from genkit.plugins.registry import installed
from genkit.runs.run import Run
from genkit.workflows.train import execute
from tests.training.small import SMALL

pytest.importorskip("mlflow")
pytest.importorskip("sqlalchemy")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:The training step runs eagerly:UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # within SQLAlchemy and MLflow
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # SQLAlchemy closes its files at exit
]
SETTINGS = {"log": ["mlflow"], "steps": 25, "checkpoint_every": 5, "sample_every": 20}
DIGITS = {key: value for key, value in SMALL.items() if key != "verbose"}


def store(path):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=f"sqlite:///{path}")


def only_run(client):
    (experiment,) = [e for e in client.search_experiments() if e.name == "genkit"]
    (found,) = client.search_runs([experiment.experiment_id])
    return found


def history(client, found, name):
    points = client.get_metric_history(found.info.run_id, name)
    return [(point.step, point.value) for point in points]


@pytest.fixture(scope="module")
def interrupted(active_backend, tmp_path_factory):
    """A run that was killed after step 12, of which it kept the checkpoint of step 5, and resumed.

    Its folder has a space in its name.
    """
    folder = tmp_path_factory.mktemp("my runs")
    result = genkit.train("vae", runs_dir=folder, **{**SMALL, **SETTINGS, "steps": 12}, keep=9)
    for step in (10, 12):
        shutil.rmtree(result.path / f"checkpoints/{step:08d}")
    return genkit.resume(result.path, 20, verbose=False)


def test_a_run_is_one_in_the_store_however_often_it_was_resumed(interrupted):
    client = store(interrupted.path / "mlflow/mlflow.db")
    found = only_run(client)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == interrupted.path.name
    rows = Run.open(interrupted.path).metrics()
    due = [(r["step"], r["loss"]) for r in rows if r["step"] == 1 or r["step"] % 10 == 0]
    assert history(client, found, "loss") == due
    means = [np.mean([r["loss"] for r in rows if r["epoch"] == epoch]) for epoch in (1, 2)]
    told = dict(history(client, found, "epoch_loss"))
    assert (told[15], told[25]) == pytest.approx(tuple(means))


def test_settings_are_parameters(interrupted):
    found = only_run(store(interrupted.path / "mlflow/mlflow.db"))
    assert found.data.params["model"] == "vae"
    assert found.data.params["config.latent_dim"] == "4"
    assert found.data.params["batch_size"] == "100"
    assert found.data.params["keep_best"] == "null"


def test_pictures_and_the_model_with_its_card_are_artifacts(interrupted):
    client = store(interrupted.path / "mlflow/mlflow.db")
    found = only_run(client)
    artifacts = interrupted.path / "mlflow/artifacts" / found.info.run_id / "artifacts"
    listed = [a.path for a in client.list_artifacts(found.info.run_id, "samples")]
    assert listed == [f"samples/{step:08d}.png" for step in (1, 10, 12, 20, 25)]
    for name in (*listed, "model/README.md", "model/config.json", "model/weights.safetensors"):
        assert (artifacts / name).read_bytes() == (interrupted.path / name).read_bytes()


class Fails(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        raise ValueError("no")


class Stops(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        os.kill(os.getpid(), signal.SIGTERM)

    def get_state(self):
        return {}


def test_in_a_store_of_the_users_own_the_status_says_how_a_run_ended(train, tmp_path, monkeypatch):
    """A failed run, resumed and stopped, is one run there too."""
    monkeypatch.chdir(tmp_path)  # such a store has its artifacts in the working directory
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'shared.db'}")
    plan = make_plan(installed(), {"model": "vae", "log": ["mlflow"], "steps": 5, **DIGITS})
    with pytest.raises(CallbackError, match="ValueError: no"):
        execute(plan, tmp_path, "mine", [Fails()], verbose=False)
    client = store(tmp_path / "shared.db")
    assert only_run(client).info.status == "FAILED"
    genkit.resume(tmp_path / "mine", callbacks=[Stops()], verbose=False)
    assert only_run(client).info.status == "KILLED"
    assert not (tmp_path / "mine/mlflow/mlflow.db").exists()


def test_no_other_machine_is_asked(tmp_path):
    script = """
import json, socket
asked = []
def note(*address, **_):
    asked.append(str(address))
    raise OSError("no network")
socket.getaddrinfo = socket.create_connection = note
import genkit, time
genkit.train("vae", dataset="digits", steps=1, log=["mlflow"], verbose=False)
time.sleep(1)
print(json.dumps(asked))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == []


def test_without_the_package_a_run_says_how_to_get_it_and_does_not_begin(
    train, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UsageError, match=r"pip install 'genkit-keras\[mlflow\]'"):
        train(steps=1, log=["mlflow"])
    assert not list((tmp_path / "runs").glob("*"))
