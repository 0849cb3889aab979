"""Workers that generate together make what one process makes, and tell when they can't."""

import os
import shutil
import signal

import numpy as np
import pytest

import genkit
from genkit.errors import RunError, UsageError
from genkit.models.outputs import same_items
from genkit.runs.model_workers import CHUNK, ModelWorkers

pytestmark = pytest.mark.slow
# Several turns of each of two workers, and a rest.
N = 64 * CHUNK * 3 + 10


@pytest.fixture(scope="module")
def trained(tmp_path_factory, active_backend):
    return genkit.train(
        "cgan", dataset="digits", steps=2, config={"width": 4}, backend=active_backend,
        runs_dir=tmp_path_factory.mktemp("runs"), verbose=False,
    ).path  # fmt: skip


@pytest.fixture(scope="module")
def model(trained):
    return genkit.load(trained)


@pytest.fixture(scope="module")
def workers(trained, model):
    with ModelWorkers(trained, model, 2) as workers:
        yield workers


def processes(workers):
    return [each._process for each in workers._workers]


@pytest.mark.parametrize(
    "asked",
    [{}, {"seed": 5, "begin": 130}, {"label": 3}, {"label": [i % 7 for i in range(N)]}],
    ids=["all", "from one on", "a class", "a class each"],
)
def test_items_are_those_of_one_process(model, workers, asked):
    one, several = (list(each.generate_items(N, **asked)) for each in (model, workers))
    assert len(one) == len(several)
    assert all(same_items(a, b) for a, b in zip(one, several, strict=True))


@pytest.mark.once
def test_a_request_that_nobody_reads_to_its_end_leaves_nothing_behind(model, workers):
    next(workers.generate_items(N, seed=1))
    (mine,) = workers.generate_items(9, seed=2)
    assert same_items(mine, next(model.generate_items(9, seed=2)))


@pytest.mark.once
def test_what_is_wrong_is_told_before_a_worker_starts(trained, model):
    with ModelWorkers(trained, model, 2) as workers:
        with pytest.raises(UsageError, match="Expected one of 0, 1"):
            workers.generate_items(9, label=77)
        assert not processes(workers)
    with pytest.raises(UsageError, match="at least one worker; received 0"):
        ModelWorkers(trained, model, 0)


@pytest.mark.once
def test_a_worker_that_dies_is_told_of(trained, model, capfd):
    with ModelWorkers(trained, model, 2) as workers:
        items = workers.generate_items(1_000_000)
        next(items)
        started = processes(workers)
        os.kill(started[1].pid, signal.SIGKILL)
        with pytest.raises(RunError, match="ended with exit code -9"):
            list(items)
    assert all(each.poll() is not None for each in started)
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.once
def test_what_a_worker_meets_is_told(trained, model, tmp_path):
    gone = tmp_path / "gone"
    shutil.copytree(trained, gone)
    with ModelWorkers(gone, model, 1) as workers:
        shutil.rmtree(gone)
        with pytest.raises(genkit.GenkitError, match="gone"):
            list(workers.generate_items(9))


@pytest.mark.once
def test_files_and_figures_are_those_of_one_process(trained, genkit_command, tmp_path):
    made = []
    for workers in (1, 2):
        file, flags = f"{workers}.npz", ("--workers", workers)
        genkit_command("generate", trained, "--n", N, "--format", "npz", "--out", file, *flags)
        done = genkit_command("evaluate", trained, "--metrics", "kid", "--n", 700, "--json", *flags)
        (trained / "evaluation.json").unlink()
        made.append((done.stdout, np.load(tmp_path / file)["samples"].tobytes()))
    assert made[0] == made[1]
