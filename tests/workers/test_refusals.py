"""What workers can't do is told in one line, and nothing is written."""

import socket
from types import SimpleNamespace

import numpy as np
import pytest

import genkit
from genkit.errors import UsageError
from genkit.plan.plan import make_plan
from genkit.plugins.registry import installed
from genkit.workers.team import Team
from genkit.workflows import sitting
from genkit.workflows.train import train_in
from tests.commands import Commands

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def commands():
    with Commands() as made:
        yield made


@pytest.mark.parametrize(
    ("flags", "variables", "told"),
    [
        (["--workers", "3", "--batch-size", "32"], {}, "size of 32. Pass --batch-size 30 or 33"),
        (["--workers", "0"], {}, "Expected a number of workers from 1 to 1024; received 0"),
        (["--workers", "2", "--launcher", "envy"], {}, "received 'envy'. Did you mean 'env'?"),
        (["--launcher", "env"], {}, "RANK and WORLD_SIZE; received neither"),
        (["--launcher", "env"], {"RANK": "0"}, "in WORLD_SIZE; received none"),
        (["--launcher", "env"], {"RANK": "2", "WORLD_SIZE": "2"}, "in RANK; received '2'"),
        (["--launcher", "env"], {"RANK": "0", "WORLD_SIZE": "2"}, "in MASTER_ADDR; received none"),
    ],
)  # fmt: skip
def test_on_the_command_line(commands, tmp_path, flags, variables, told):
    env = {"RANK_OF_TEST": "1", **variables}
    done = commands.run(tmp_path, "run", "vae", "--dataset", "digits", *flags, env=env, check=False)
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert done.stderr.startswith("error: ")
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use(commands, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        env = {"RANK": "0", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        flags = ["--dataset", "digits", "--launcher", "env"]
        done = commands.run(tmp_path, "run", "vae", *flags, env=env, check=False)
    assert done.returncode == 1
    assert f"{port}: Address already in use. Set MASTER_PORT" in " ".join(done.stderr.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"model": lambda: None}, "a model"),
        ({"model": "vae", "dataset": "data"}, "data"),
        ({"model": "vae", "callbacks": [object()]}, "a callback"),
    ],
)
def test_what_a_program_has_cannot_be_handed_to_other_processes(
    active_backend, tmp_path, given, what
):
    if given.get("dataset") == "data":
        given = {**given, "dataset": np.zeros((64, 8, 8, 1), "uint8")}
    with pytest.raises(UsageError, match=f"received {what} of this program"):
        genkit.train(**{"dataset": "digits", **given}, workers=2, runs_dir=tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def train_as_the_first_of_two(folder, exchange=lambda value: [value, value]):
    """Begin to train as the first worker, with nobody on the line but its own echo."""
    plan = make_plan(installed(), {"model": "vae", "dataset": "digits", "steps": 1})
    line = SimpleNamespace(team=Team(0, 2, 0, "127.0.0.1", 1), exchange=exchange)
    train_in(folder / "run", plan, verbose=False, line=line)


def test_a_trainer_that_cannot_divide_its_work(active_backend, tmp_path, monkeypatch):
    monkeypatch.setattr(sitting, "connect_backend", lambda _: None)
    monkeypatch.setattr(genkit.Trainer, "stepwise", False)
    with pytest.raises(UsageError, match="The trainer gradient can't divide its work"):
        train_as_the_first_of_two(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["data", "kind of device"])
def test_a_worker_with_something_else_than_the_first(active_backend, tmp_path, monkeypatch, name):
    monkeypatch.setattr(sitting, "connect_backend", lambda _: None)
    with pytest.raises(UsageError, match=f"Worker 1 has another {name} than the first one"):
        train_as_the_first_of_two(tmp_path, lambda value: [value, {**value, name: "other"}])
    assert list(tmp_path.iterdir()) == []
