"""What starts workers is found by name, a plugin's too; it starts them, or knows their place."""

import json
from types import SimpleNamespace
from typing import ClassVar

import pytest

import genkit
from genkit.errors import TrainingError, UnknownNameError, UsageError
from genkit.plugins import registry
from genkit.plugins.entry_points import Plugin
from genkit.plugins.registry import Registry
from genkit.workers.crew import Crew
from genkit.workers.launcher import LOST, Ended, Launcher
from genkit.workers.team import Team
from tests.commands import Commands

pytestmark = pytest.mark.once
HERE = __name__


class Failing(Launcher):
    """Starts nothing, and keeps what it was told."""

    orders: ClassVar = []
    code = 3

    def run(self, command, size, order, stop):
        self.orders.append((command[1:], size, dict(order), stop.received))
        return [Ended(rank, self.code, {}, "no room") for rank in range(size)]


class Losing(Failing):
    """Starts nothing either: each time a worker is lost."""

    code = LOST


class Placing(Launcher):
    """Knows that this process is the second of three workers."""

    def place(self, size):
        return Team(1, size or 3, 0, "127.0.0.1", 1)


@pytest.fixture
def plugin():
    """A registry with the built-ins and a plugin that brings launchers."""

    @genkit.hookimpl
    def genkit_launchers():
        for name in ("Failing", "Losing", "Placing"):
            yield genkit.LauncherSpec(
                name=name.lower(), summary="For tests", launcher=f"{HERE}:{name}"
            )

    from genkit.builtin import plugin as builtin

    found = Registry([])
    found.add(builtin, Plugin("builtin", "genkit-keras", "0.1"))
    found.add(SimpleNamespace(genkit_launchers=genkit_launchers), Plugin("tests", "tests", "1"))
    Failing.orders.clear()
    with registry.using(found):
        yield found


def train(folder, **asked):
    return genkit.train(
        "vae", dataset="digits", batch_size=32, steps=2, runs_dir=folder, name="r", verbose=False,
        **asked,
    )  # fmt: skip


def test_a_plugins_launcher_is_told_what_its_workers_do(plugin, tmp_path):
    with pytest.raises(TrainingError, match="Worker 0 ended with exit code 3. no room"):
        train(tmp_path, workers=2, launcher="failing")
    ((program, size, order, received),) = Failing.orders
    assert program == ("-m", "genkit.workflows.worker")
    assert (size, received) == (2, 0)
    assert (order["do"], order["path"]) == ("train", str(tmp_path / "r"))
    assert json.loads(json.dumps(order))["plan"]["model"] == "vae"


def test_what_begins_again_is_not_the_launchers_to_know(plugin, tmp_path, capfd):
    with pytest.raises(genkit.GenkitError, match="begun again 3 times from step 0"):
        train(tmp_path, workers=2, launcher="losing")
    assert len(Failing.orders) == 4
    assert "All 2 begin again from step 0, 3 of at most 3 times" in capfd.readouterr().err


def test_a_launcher_that_starts_workers_wants_their_number(plugin, tmp_path):
    with pytest.raises(UsageError, match="for the launcher failing; received none. Pass --workers"):
        train(tmp_path, launcher="failing")
    assert Failing.orders == []


def test_one_worker_of_a_launcher_is_started_by_it(plugin, tmp_path):
    with pytest.raises(TrainingError, match="exit code 3"):
        train(tmp_path, workers=1, launcher="failing")
    assert Failing.orders[0][1] == 1


def test_a_launcher_may_know_that_this_process_is_a_worker(plugin):
    crew = Crew(None, "placing")
    assert crew.place() == Team(1, 3, 0, "127.0.0.1", 1)
    assert not crew.leads()
    assert Crew(2, "failing").leads()
    assert Crew(2).place() is None


def test_an_unknown_launcher_is_refused_with_the_nearest(plugin, tmp_path):
    with pytest.raises(UnknownNameError, match="launchers; received 'locl'. Did you mean 'local'"):
        train(tmp_path, workers=2, launcher="locl")
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_plugin_of_the_repository_says_what_installs_it(plugin, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "genkit.plugins.repository.RepositoryPlugin.is_installed", lambda self: False
    )
    with pytest.raises(UnknownNameError, match=r"pip install \./plugins/genkit-keras-ray"):
        train(tmp_path, workers=2, launcher="ray")


def test_launchers_are_listed_and_explained(tmp_path):
    with Commands() as commands:
        listed = commands.run(tmp_path, "list", "launchers", "--json").stdout
        shown = commands.run(tmp_path, "info", "env").stdout
    names = {row["name"] for rows in json.loads(listed).values() for row in rows}
    assert {"local", "env"} <= names
    assert "torchrun, srun or mpirun" in shown
