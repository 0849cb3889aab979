"""The command itself, with real training in real processes."""

import json
import signal
import subprocess
import time

import pytest

import genkit
from genkit.errors import UsageError
from genkit.plan import activation
from genkit.plan.activation import BACKENDS
from tests.commands import GENKIT, variables

COMMON = ("compare", "gan", "--dataset", "digits", "--set", "hidden=16")
FOLDER = "comparisons/gan-digits"
STEPS = 12


@pytest.mark.slow
@pytest.mark.cross_backend
def test_three_backends_begin_alike_and_are_compared(genkit_command, tmp_path):
    told = json.loads(
        genkit_command(
            *COMMON, "--seeds", 1, "--steps", 45, "--metrics", "fid", "--n", 80, "--json"
        ).stdout
    )
    assert told["state"] == "done", told["sentences"]
    assert [cell["backend"] for cell in told["cells"]] == list(BACKENDS)
    for cell in told["cells"]:
        run = tmp_path / cell["run"]
        assert json.loads((run / "plan.json").read_text())["backend"] == cell["backend"]
        assert json.loads((run / "environment.json").read_text())["init"]["left_out"] == {}
        assert min(cell["steps_per_second"], cell["seconds_to_first_step"]) > 0
        assert 100 < cell["peak_memory_mib"] < 20_000
        (fid,) = cell["quality"]
        assert fid["low"] <= fid["high"]
    firsts = [
        json.loads((tmp_path / cell["run"] / "metrics.jsonl").read_text().splitlines()[0])
        for cell in told["cells"]
    ]
    assert firsts[0]["d_loss"] == pytest.approx(firsts[1]["d_loss"], abs=0.3)  # dropout differs
    assert [pair["backend"] for pair in told["parity"]] == ["torch", "tensorflow"]
    assert max(pair["early"] for pair in told["parity"]) < 1e-5
    assert (tmp_path / FOLDER / "comparison.png").stat().st_size > 10_000
    assert json.loads((tmp_path / FOLDER / "comparison.json").read_text()) == told
    assert told["sentences"][0].startswith("gan: ")


def begin(folder, *more):
    name = activation.choose_backend()
    return subprocess.Popen(
        [*GENKIT, *COMMON, "--backends", name, "--no-quality", *map(str, more)],
        cwd=folder,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=variables(),
    )


def wait_for(condition, process):
    until = time.monotonic() + 600
    while not condition():
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.05)


@pytest.mark.slow
def test_a_killed_comparison_goes_on_where_it_was(genkit_command, tmp_path):
    more = ("--seeds", 2, "--steps", STEPS)
    name = activation.choose_backend()
    compared = (*COMMON, "--backends", name, "--no-quality")
    cells = [tmp_path / FOLDER / "cells" / f"gan-{name}-{seed}" for seed in (0, 1)]
    killed = begin(tmp_path, *more)
    wait_for((cells[1] / "checkpoints" / "00000000").exists, killed)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    made = [(cell / "plan.json").stat().st_mtime_ns for cell in cells]
    exported = (cells[0] / "model" / "config.json").stat().st_mtime_ns

    told = genkit_command(*compared, *more, "--workers", 2).stderr
    assert "2 of 3 measurements are there already." in told
    assert [(cell / "plan.json").stat().st_mtime_ns for cell in cells] == made
    assert (cells[0] / "model" / "config.json").stat().st_mtime_ns == exported
    for cell in cells:
        rows = [json.loads(line) for line in (cell / "metrics.jsonl").read_text().splitlines()]
        assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    summary = json.loads((tmp_path / FOLDER / "comparison.json").read_text())
    assert {cell["state"] for cell in summary["cells"]} == {"done"}
    assert "only" in summary["sentences"][0]  # one backend can't be compared

    changed = genkit_command(*compared, "--seeds", 2, "--steps", STEPS + 1, check=False)
    assert changed.returncode == 2
    assert f"steps was {STEPS}, now is {STEPS + 1}" in changed.stderr


@pytest.mark.slow
def test_ctrl_c_keeps_what_is_done_and_tells_how_to_go_on(tmp_path):
    process = begin(tmp_path, "--seeds", 1, "--steps", 100_000)
    run = tmp_path / FOLDER / "cells" / f"gan-{activation.choose_backend()}-0"
    wait_for((run / "checkpoints" / "00000000").exists, process)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=300)
    assert process.returncode == 130, told
    assert "Stopped by a signal. The same command goes on." in told
    assert json.loads((run / "status.json").read_text())["state"] == "stopped"


@pytest.mark.slow
def test_a_cell_that_fails_is_told_and_the_exit_code_is_1(tmp_path):
    process = begin(tmp_path, "--seeds", 1, "--steps", 100_000, "--timeout", "1s")
    _, told = process.communicate(timeout=300)
    assert process.returncode == 1
    assert "failed: It took longer than 1 s" in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gan", "--backends", "jax,numpy"], "received 'numpy'"),
        (["gan", "--backends", "jax,,torch"], "Expected --backends a,b"),
        (["gan", "--seeds", "0"], "at least one seed"),
        (["gan", "--workers", "0"], "at least one worker"),
        ([], "Expected a model"),
        (["gna"], "gan"),
    ],
)
def test_mistakes_end_before_anything_is_written(genkit_command, tmp_path, arguments, message):
    done = genkit_command("compare", *arguments, check=False)
    assert done.returncode == 2
    assert message in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_backend_that_is_not_installed_is_refused_with_the_line_that_installs_it(monkeypatch):
    from genkit.errors import BackendError
    from genkit.workflows.compare import make_comparison

    monkeypatch.setattr("genkit.plan.activation.find_spec", lambda name: None)
    with pytest.raises(BackendError, match=r"pip install 'genkit-keras\[tensorflow\]'"):
        make_comparison(["gan"], {}, backends=["tensorflow"])


def test_a_comparison_is_made_of_what_python_is_given(tmp_path):
    from genkit.workflows.compare import make_comparison

    settings = {"dataset": "digits", "steps": 20, "config": {"hidden": 8}}
    made = make_comparison(["gan"], settings, metrics=None, timeout="2m", out=tmp_path)
    assert made.folder == tmp_path
    assert made.plans["gan"].config["hidden"] == 8
    assert (made.n, made.metrics, made.timeout) == (500, None, 120.0)
    assert str(make_comparison(["gan"], settings, name="mine").folder) == "comparisons/mine"
    with pytest.raises(UsageError, match="Expected a model"):
        make_comparison([], settings)


@pytest.mark.slow
def test_python_compares_as_the_command_line_does(tmp_path, active_backend):
    summary = genkit.compare(
        "gan",
        dataset="digits",
        steps=3,
        config={"hidden": 8},
        backends=[active_backend],
        seeds=1,
        metrics=None,
        out=tmp_path,
        verbose=False,
    )
    assert summary.is_whole
    assert repr(summary).splitlines()[1:] == summary.sentences
    assert "data:image/png" in summary._repr_html_()
    assert (summary.comparison.folder / "comparison.json").exists()
