"""The command line as people and scripts use it, each command a process of its own."""

import json
import signal
import subprocess
import time

import numpy as np
import pytest
from PIL import Image

from genkit.plan import activation
from tests.commands import GENKIT, variables

BACKEND = activation.choose_backend()
SMALL = ["--dataset", "digits", "--set", "width=4", "--backend", BACKEND]


def last_json(done):
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def trained(tmp_path_factory, commands):
    """One small trained run that the reading tests share."""
    folder = tmp_path_factory.mktemp("trained")
    done = commands.run(folder, "run", "vae", *SMALL, "--steps", 30, "--name", "mine", "--json")
    return folder, json.loads(done.stdout)


def test_run_tells_what_came_out_as_one_json_object(trained):
    folder, told = trained
    assert told["run"] == "runs/mine"
    assert (told["model"], told["dataset"], told["backend"]) == ("vae", "digits", BACKEND)
    assert told["steps"] == 30
    assert told["seconds"] > 0
    assert told["steps_per_second"] > 0
    assert set(told["metrics"]) == {"loss", "reconstruction_loss", "kl_loss"}
    lines = (folder / "runs/mine/metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["loss"] == told["metrics"]["loss"]


def test_generate_writes_each_format(trained, genkit_command):
    folder, _ = trained
    out = folder / "out"
    for format_, files in (("png", 3), ("grid", 1), ("npz", 1)):
        told = last_json(
            genkit_command(
                "generate", folder / "runs/mine", "--n", 3, "--format", format_,
                "--out", out / format_, "--json",
            )
        )  # fmt: skip
        assert told["backend"] == BACKEND
        assert len(told["files"]) == files
    with np.load(out / "npz/samples.npz") as archive:
        samples = archive["samples"]
    assert samples.shape == (3, 8, 8, 1)
    assert samples.min() >= 0
    assert 3 < samples.max() <= 16, "in the data set's own range"
    with Image.open(out / "png/00000.png") as picture:
        assert picture.size == (8, 8)
        pixels = np.asarray(picture)
    np.testing.assert_allclose(pixels, samples[0, ..., 0] / 16 * 255, atol=0.51)
    with Image.open(out / "grid/grid.png") as picture:
        assert picture.size[0] > 2 * 64


@pytest.mark.slow
def test_an_exported_model_generates_alone(trained, genkit_command, tmp_path):
    folder, _ = trained
    genkit_command("generate", folder / "runs/mine/model", "--n", 2, "--out", tmp_path / "o")
    assert len(list((tmp_path / "o").iterdir())) == 2


@pytest.mark.once
def test_runs_lists_states_and_losses(trained, genkit_command):
    folder, told = trained
    listed = last_json(genkit_command("runs", "--runs-dir", folder / "runs", "--json"))["runs"]
    assert listed[0]["state"] == "done"
    assert listed[0]["metrics"] == told["metrics"]
    assert "mine" in genkit_command("runs", "--runs-dir", folder / "runs").stdout
    assert "No runs" in genkit_command("runs", "--runs-dir", folder / "none").stdout


@pytest.mark.slow
@pytest.mark.once
def test_resume_adds_steps(genkit_command, tmp_path):
    genkit_command("run", "vae", *SMALL, "--steps", 3, "--name", "r")
    told = last_json(genkit_command("resume", "runs/r", "--steps", 4, "--json"))
    assert told["steps"] == 7
    more = genkit_command("resume", "runs/r", "--steps", 1).stderr
    assert more.startswith("Going on with vae on digits with ")  # before Keras is imported
    assert "runs/r: 8 steps" in genkit_command("resume", "runs/r").stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal_", "code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.once)],
    ids=["ctrl-c", "sigterm"],
)
def test_a_signal_ends_cleanly_and_the_run_goes_on_later(signal_, code, genkit_command, tmp_path):
    process = subprocess.Popen(
        [*GENKIT, "run", "vae", *SMALL, "--epochs", "10000", "--name", "long"],
        cwd=tmp_path, env=variables(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    log = tmp_path / "runs/long/metrics.jsonl"
    deadline = time.monotonic() + 120
    while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal_)
    _, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    assert "genkit resume runs/long" in err
    told = last_json(genkit_command("runs", "--json"))["runs"][0]
    assert told["state"] == "stopped"
    done = told["step"]
    # Without KERAS_BACKEND the run's own backend must be chosen before Keras is imported.
    resumed = last_json(
        genkit_command("resume", "runs/long", "--steps", 2, "--json", env={"KERAS_BACKEND": ""})
    )
    assert resumed["steps"] == done + 2


@pytest.mark.slow
@pytest.mark.once
def test_a_second_process_on_one_run_is_refused(genkit_command, tmp_path):
    process = subprocess.Popen(
        [*GENKIT, "run", "vae", *SMALL, "--epochs", "10000", "--name", "busy"],
        cwd=tmp_path, env=variables(), stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        log = tmp_path / "runs/busy/metrics.jsonl"
        deadline = time.monotonic() + 120
        while not (log.exists() and log.stat().st_size) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert last_json(genkit_command("runs", "--json"))["runs"][0]["state"] == "running"
        refused = genkit_command("resume", "runs/busy", check=False)
        assert refused.returncode == 1
        assert f"being written by process {process.pid}" in refused.stderr
    finally:
        process.kill()
        process.wait()
    assert last_json(genkit_command("runs", "--json"))["runs"][0]["state"] == "killed"
    assert genkit_command("resume", "runs/busy", "--steps", 1).returncode == 0


@pytest.mark.slow
@pytest.mark.once
def test_a_full_disk_is_one_line_and_leaves_no_half_run(genkit_command, tmp_path):
    """A limit on file sizes stands for the full disk: the weights don't fit."""
    command = " ".join([*GENKIT, "run", "vae", *SMALL, "--steps", "1"])
    done = subprocess.run(
        ["bash", "-c", f"ulimit -f 20; exec {command}"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=variables(PYTHONDONTWRITEBYTECODE="1"),
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "checkpoint of step 0 can't be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.slow
@pytest.mark.once
def test_doctor_names_versions_and_devices(genkit_command):
    told = last_json(genkit_command("doctor", "--json"))
    mine = next(b for b in told["backends"] if b["name"] == BACKEND)
    assert mine["version"]
    assert mine["threads"] >= 1
    assert mine["auto_precision"] in {"float32", "bfloat16"}
    assert told["broken"] == []
    assert BACKEND in genkit_command("doctor").stdout


@pytest.mark.slow
@pytest.mark.cross_backend
def test_a_model_generates_the_same_pictures_on_every_backend(genkit_command, tmp_path):
    genkit_command("run", "vae", *SMALL[:4], "--backend", "torch", "--steps", 20, "--name", "t")
    made = {}
    for name in activation.BACKENDS:
        genkit_command(
            "generate", "runs/t", "--backend", name, "--format", "npz", "--out", name, "--n", 70
        )
        with np.load(tmp_path / name / "samples.npz") as archive:
            made[name] = archive["samples"]
    for name, samples in made.items():
        np.testing.assert_allclose(samples, made["torch"], atol=16 * 1e-5, err_msg=name)


@pytest.mark.once
def test_a_run_that_a_callback_ended_says_so(tmp_path, commands):
    recipe = "[callbacks.early-stopping]\npatience = 0\nmin_delta = 1e9\n"
    (tmp_path / "stop.toml").write_text(recipe)
    ended = {
        name: commands.run(
            tmp_path, "run", "vae", *SMALL, "--batch-size", 500, "--epochs", 4, "--name", name,
            *more,
        ).stdout
        for name, more in {"whole": (), "early": ("--recipe", "stop.toml")}.items()
    }  # fmt: skip
    assert "by a callback" not in ended["whole"]
    assert "Ended:    before its length was over, by a callback\n" in ended["early"]
