"""How several workers end: at their end, at a signal, at a death; and who goes on from there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from genkit.plan import activation
from genkit.runs import checkpoints
from genkit.runs.run import Run
from tests.commands import GENKIT, variables
from tests.workers.test_equal import state

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]
STEPS = 16
PLAN = [
    "vae", "--dataset", "digits", "--set", "width=2", "--set", "hidden=8", "--set", "latent_dim=2",
    "--batch-size", "32", "--checkpoint-every", "2", "--keep", "1000", "--runs-dir", ".",
]  # fmt: skip


def start(folder, *words):
    """Start a command that trains, and return its process."""
    command = [*GENKIT, *map(str, words)]
    return subprocess.Popen(command, cwd=folder, env=variables(), stderr=subprocess.PIPE, text=True)


def run(folder, name, *more, steps=STEPS):
    flags = ["--name", name, "--steps", steps, "--backend", activation.choose_backend()]
    return start(folder, "run", *PLAN, *flags, *more)


def done(process, code=0):
    """Wait for the end of a command and return what it said."""
    said = process.communicate(timeout=300)[1]
    assert process.returncode == code, said
    return said


def wait_for(folder, step):
    """Wait until a run has a checkpoint of a step, or of a later one."""
    until = time.monotonic() + 200
    while max(checkpoints.steps(folder / "checkpoints"), default=0) < step:
        assert time.monotonic() < until, "no such checkpoint came"
        time.sleep(0.01)


def workers_of(process):
    """Return the processes of the workers, by rank."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    found = {}
    for child in children:
        said = Path(f"/proc/{child}/environ").read_text().split("\0")
        found[next(line[5:] for line in said if line.startswith("RANK="))] = int(child)
    return found


def assert_same_log(folder, name, steps=STEPS):
    assert [row["step"] for row in Run.open(folder / name).metrics()] == list(range(1, steps + 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run of two workers that nothing happened to."""
    folder = tmp_path_factory.mktemp("runs")
    done(run(folder, "whole", "--workers", 2))
    return folder


def assert_same_end(folder, name):
    whole, other = state(folder, "whole", STEPS), state(folder, name, STEPS)
    for key in whole:
        np.testing.assert_array_equal(other[key], whole[key], err_msg=key)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
@pytest.mark.parametrize("rank", ["1", pytest.param("0", marks=pytest.mark.full)])
def test_a_run_whose_worker_is_killed_ends_as_one_of_which_none_is(folder, rank):
    process = run(folder, f"killed-{rank}", "--workers", 2)
    wait_for(folder / f"killed-{rank}", 2)
    os.kill(workers_of(process)[rank], signal.SIGKILL)
    said = done(process)
    assert f"Worker {rank} was killed by signal 9. All 2 begin again from step" in said
    assert_same_log(folder, f"killed-{rank}")
    assert_same_end(folder, f"killed-{rank}")


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
@pytest.mark.parametrize("rank", ["0", "1"])
def test_a_worker_that_stands_still_is_found_and_all_begin_again(folder, rank):
    process = run(folder, f"still-{rank}", "--workers", 2)
    wait_for(folder / f"still-{rank}", 4)
    os.kill(workers_of(process)[rank], signal.SIGSTOP)
    said = done(process)
    assert f"Worker {rank} stands still. All 2 begin again from step" in said
    assert_same_log(folder, f"still-{rank}")
    assert_same_end(folder, f"still-{rank}")


@pytest.mark.once
def test_any_number_goes_on_where_another_has_stopped(folder):
    backend = activation.choose_backend()
    name = "elastic"
    done(run(folder, name, steps=4))
    done(start(folder, "resume", name, "--steps", 6, "--workers", 2, "--backend", backend))
    done(start(folder, "resume", name, "--steps", 6, "--backend", backend))
    assert_same_log(folder, name)
    whole, other = state(folder, "whole", STEPS), state(folder, name, STEPS)
    for key in whole:
        np.testing.assert_allclose(other[key], whole[key], rtol=1e-3, atol=1e-4, err_msg=key)


@pytest.mark.once
def test_a_signal_stops_all_after_one_step(folder):
    process = run(folder, "stopped", "--workers", 2, steps=100_000)
    wait_for(folder / "stopped", 4)
    process.send_signal(signal.SIGINT)
    said = done(process, 128 + signal.SIGINT)
    assert "Stopped by a signal. Go on with: genkit resume" in said
    stopped = Run.open(folder / "stopped")
    step = stopped.status()["step"]
    assert stopped.status()["state"] == "stopped"
    assert checkpoints.steps(stopped.checkpoints)[-1] == step
    assert_same_log(folder, "stopped", step)


@pytest.mark.full
def test_a_callback_that_stops_stops_all_where_it_would_stop_one(folder):
    recipe = folder / "early.toml"
    recipe.write_text("[callbacks.early-stopping]\nmin_delta = 1e6\npatience = 1\n")
    more = ["--batch-size", 250, "--checkpoint-every", 100, "--recipe", recipe]
    done(run(folder, "early", "--workers", 2, *more, steps=900))
    status = Run.open(folder / "early").status()
    assert status["state"] == "done"
    assert status["step"] == 2 * (1500 // 250)  # after the second epoch


@pytest.mark.full
def test_time_ends_all_at_once(folder):
    words = ["run", *PLAN, "--name", "timed", "--time", "3s", "--workers", 2]
    done(start(folder, *words, "--backend", activation.choose_backend()))
    status = Run.open(folder / "timed").status()
    assert status["state"] == "done"
    assert_same_log(folder, "timed", status["step"])
