"""Full disks, two at once, second signals, bad callbacks, bad losses."""

import errno
import json
import os
import signal
import subprocess
import threading
import time

import keras
import numpy as np
import pytest

import genkit
from genkit.errors import CallbackError, DivergedError, RunError
from genkit.plan import activation
from genkit.runs.run import Run
from genkit.workflows import sample_grids
from tests.commands import GENKIT, variables

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")


def whole_checkpoints(run):
    return sorted(int(p.name) for p in (run / "checkpoints").iterdir() if p.name.isdigit())


# Full disks


def refuse(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.slow
@pytest.mark.once
def test_a_full_disk_while_sampling_is_a_warning(train, monkeypatch):
    monkeypatch.setattr("genkit.report.samples.save_png", refuse)
    with pytest.warns(UserWarning, match=r"samples of step [136] can't be written: No space left"):
        result = train(steps=6, sample_every=3)
    assert result.outcome.steps == 6


@pytest.mark.slow
@pytest.mark.once
def test_what_a_full_disk_refuses_of_the_log_is_written_when_there_is_room(train, monkeypatch):
    monkeypatch.setattr("genkit.runs.metrics_log._FLUSH_SECONDS", 0.0)
    write = os.write
    lines = []

    def write_or_refuse(descriptor, content):
        lines.append(content)
        if 2 <= len(lines) <= 4:
            write(descriptor, content[:7])  # what a disk does before it is full
            refuse()
        return write(descriptor, content)

    monkeypatch.setattr(os, "write", write_or_refuse)
    with pytest.warns(UserWarning, match=r"metrics.jsonl can't be written: No space left"):
        result = train(steps=8)
    assert [row["step"] for row in Run.open(result.path).metrics()] == list(range(1, 9))
    text = (result.path / "metrics.jsonl").read_text()
    assert all(json.loads(line) for line in text.splitlines())


@pytest.mark.once
def test_a_full_disk_while_checkpointing_is_a_clear_error_and_older_ones_stay(train, monkeypatch):
    result = train(steps=2)
    monkeypatch.setattr("genkit.runs.checkpoint_files.sync", refuse)
    with pytest.raises(RunError, match=r"checkpoint of step 5 can't be written: No space left"):
        genkit.resume(result.path, 3, verbose=False)
    monkeypatch.undo()
    assert whole_checkpoints(result.path) == [0, 2]
    assert Run.open(result.path).status()["state"] == "failed"
    assert genkit.resume(result.path, 3, verbose=False).outcome.steps == 5


# Two at once


def small_run(name, *more):
    return [
        *GENKIT, "run", "vae", "--dataset", "digits", "--set", "width=4", "--backend",
        activation.choose_backend(), "--name", name, *map(str, more),
    ]  # fmt: skip


@pytest.fixture
def endless(tmp_path):
    """A run that trains until it is ended; gives the process and the folder."""
    process = subprocess.Popen(
        small_run("long", "--epochs", 100000, "--checkpoint-every", 5, "--keep", 1),
        cwd=tmp_path, env=variables(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    folder = tmp_path / "runs/long"
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and not (
        (folder / "checkpoints").exists() and max(whole_checkpoints(folder), default=0) >= 5
    ):
        time.sleep(0.05)
    yield process, folder
    if process.poll() is None:
        process.kill()
    process.communicate()


@pytest.mark.slow
@pytest.mark.once
def test_the_second_process_on_a_run_is_told_who_has_it(endless, genkit_command):
    process, _ = endless
    refused = genkit_command("resume", "runs/long", check=False)
    assert refused.returncode == 1
    assert f"written by process {process.pid} on {os.uname().nodename}" in refused.stderr


@pytest.mark.slow
@pytest.mark.once
def test_reading_a_run_that_trains_sees_whole_checkpoints(endless):
    """Only one checkpoint is kept, and a new one comes some times a second."""
    _, folder = endless
    before = max(whole_checkpoints(folder))
    reads, deadline = 0, time.monotonic() + 180
    while reads < 6 or max(whole_checkpoints(folder), default=0) <= before:
        assert np.isfinite(genkit.load(folder).generate(1)).all()
        reads += 1
        assert time.monotonic() < deadline, "no new checkpoint came: the test shows nothing"


@pytest.mark.slow
@pytest.mark.once
def test_the_lock_of_a_dead_process_is_taken_over(endless, genkit_command):
    process, folder = endless
    process.kill()
    process.wait()
    assert Run.open(folder).status()["state"] == "killed"
    done = max(whole_checkpoints(folder))
    told = json.loads(genkit_command("resume", "runs/long", "--steps", 3, "--json").stdout)
    assert told["steps"] == done + 3


# Signals


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_at_once_and_the_last_checkpoint_is_whole(
    first, tmp_path, genkit_command
):
    """The checkpoint that the first signal asks for is slow; the second one doesn't wait for it."""
    slow = tmp_path / "sitecustomize.py"
    slow.write_text(
        "import os, time\n"
        "fsync, calls = os.fsync, []\n"
        "def slow(descriptor):\n"
        "    if os.path.exists('stopping') and not os.path.exists('waiting'):\n"
        "        open('waiting', 'w').close()\n"
        "        time.sleep(60)\n"
        "    fsync(descriptor)\n"
        "os.fsync = slow\n"
    )
    process = subprocess.Popen(
        small_run("r", "--epochs", 100000, "--checkpoint-every", 100000),
        cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env=variables(PYTHONPATH=f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"),
    )  # fmt: skip
    wait_for(tmp_path / "runs/r/metrics.jsonl")
    (tmp_path / "stopping").touch()
    process.send_signal(first)
    wait_for(tmp_path / "waiting")
    began = time.monotonic()
    process.send_signal(first)
    process.communicate(timeout=60)
    assert time.monotonic() - began < 30
    assert process.returncode in (130, -signal.SIGTERM)
    (tmp_path / "stopping").unlink()
    slow.unlink()
    assert whole_checkpoints(tmp_path / "runs/r") == [0]
    told = json.loads(genkit_command("resume", "runs/r", "--steps", 2, "--json").stdout)
    assert told["steps"] == 2


def wait_for(path):
    deadline = time.monotonic() + 180
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert path.exists()


# Callbacks


class Broken(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        raise KeyError("accuracy")


@pytest.mark.once
def test_a_callback_that_raises_is_named_and_the_run_goes_on_later(train):
    with pytest.raises(CallbackError, match=r"callback Broken raised KeyError: 'accuracy'"):
        train(steps=40, checkpoint_every=5, callbacks=[Broken()], name="broken")


@pytest.mark.slow
@pytest.mark.once
def test_a_run_stopped_by_a_callback_s_error_resumes(train, tmp_path):
    with pytest.raises(CallbackError):
        train(steps=40, checkpoint_every=5, callbacks=[Broken()], name="broken")
    run = Run.open(tmp_path / "runs/broken")
    assert run.status()["state"] == "failed"
    assert whole_checkpoints(run.path) == [5, 10]
    assert genkit.resume(run.path, verbose=False).outcome.steps == 40


# Diverged training


@pytest.mark.slow
def test_a_loss_that_explodes_is_told_with_its_gradients(train, tmp_path):
    with pytest.raises(DivergedError) as caught:
        train(steps=400, name="wild", checkpoint_every=2, callbacks=[Ruin(at=4)])
    message = caught.value.message
    assert "The loss 'loss' became" in message
    assert "at step 6, after" in message
    assert "Gradient norms of the steps before: vae" in message
    run = Run.open(tmp_path / "runs/wild")
    assert run.status()["state"] == "failed"
    assert max(whole_checkpoints(run.path)) == 4
    assert [row["step"] for row in run.metrics()] == [1, 2, 3, 4, 5]


@pytest.mark.slow
def test_the_gradients_told_end_with_the_step_that_went_wrong(train):
    with pytest.raises(DivergedError, match="at step 3") as caught:
        # The last checkpoint is from before the ruin: what is done again stays sound.
        train(steps=400, name="wild", checkpoint_every=1000, callbacks=[Ruin(at=1)])
    norms = caught.value.message.rpartition("of the steps before: vae ")[2]
    assert len(norms.split(", ")) == 3


class Ruin(keras.callbacks.Callback):
    """Sets a learning rate at which training can't hold."""

    def __init__(self, at):
        super().__init__()
        self.at = at

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == self.at:
            for optimizer in self.model.optimizers.values():
                optimizer.learning_rate.assign(1e9)


@pytest.mark.slow
@pytest.mark.once
def test_a_loss_that_grows_a_millionfold_stops_training():
    from genkit.models.training.divergence import check_losses

    first = {"loss": 3.0, "small": 1e-9}
    check_losses({"loss": -2.9e6, "small": 9e5}, 7, first)
    for bad in ({"loss": 3.1e6}, {"small": -1.1e6}, {"loss": np.nan}, {"new": np.inf}):
        with pytest.raises(DivergedError, match="at step 7"):
            check_losses(bad, 7, first)


@pytest.mark.slow
def test_training_outside_the_main_thread_works(train):
    results = []
    thread = threading.Thread(target=lambda: results.append(train(steps=2)))
    thread.start()
    thread.join()
    assert results[0].outcome.steps == 2


@pytest.mark.slow
@pytest.mark.once
def test_samples_that_are_not_finite_are_not_drawn(train, monkeypatch):
    result = train(steps=1)
    model = genkit.load(result.path)
    items = {"image": np.full((64, 8, 8, 1), np.nan, np.float32)}
    monkeypatch.setattr(type(model), "generate_items", lambda *_, **__: iter([items]))
    assert sample_grids.draw_samples(result.run, 10, model) is None
    assert not (result.path / "samples/00000010.png").exists()
