"""Two workers train as one process does, whatever of a model needs the whole batch."""

import importlib
import random
import subprocess
import sys

import numpy as np
import pytest
from keras import ops
from safetensors.numpy import load_file

from genkit import engine
from genkit.engine import collective
from genkit.errors import UsageError
from genkit.plan import activation
from genkit.runs.run import Run
from genkit.workers.team import variables_of
from tests.commands import variables
from tests.workers.meetings import teams

pytestmark = pytest.mark.slow
STEPS = 20


def work(folder, name, model, steps=STEPS, size=1):
    """Train in as many processes as are asked for; return how each ended, and what it said."""
    command = [sys.executable, "-m", "tests.workers.program", folder, name, str(steps), model]
    places = [variables_of(team) for team in teams(size)] if size > 1 else [{}]
    processes = [
        subprocess.Popen(
            [str(word) for word in command], env=variables(**place), stderr=subprocess.PIPE,
            text=True,
        )
        for place in places
    ]  # fmt: skip
    said = [process.communicate(timeout=300)[1] for process in processes]
    return [(each.returncode, text) for each, text in zip(processes, said, strict=True)]


def state(folder, name, step):
    checkpoint = folder / name / "checkpoints" / f"{step:08d}"
    files = sorted(checkpoint.glob("*.safetensors"))
    return {key: array for file in files for key, array in load_file(file).items()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with the run of one process and that of two."""
    folder = tmp_path_factory.mktemp("runs")
    for name, size in (("one", 1), ("two", 2)):
        ended = work(folder, name, "Summed", size=size)
        assert all(code == 0 for code, _ in ended), ended
    return folder


def distance(folder, step):
    """Return how far the weights of two are from those of one, over how far these have come."""
    begun, one = state(folder, "one", 0), state(folder, "one", step)
    two = state(folder, "two", step)
    assert one.keys() == two.keys()
    trained = [key for key in one if not key.startswith("optimizers/") and "seed" not in key]
    apart = np.sqrt(sum(np.sum((one[k].astype("f8") - two[k]) ** 2) for k in trained))
    come = np.sqrt(sum(np.sum((one[k].astype("f8") - begun[k]) ** 2) for k in trained))
    return apart / come


def test_after_a_step_the_update_is_that_of_one_process(runs):
    assert distance(runs, 1) < 1e-6


def test_after_more_steps_so_are_the_weights(runs):
    one, two = state(runs, "one", STEPS), state(runs, "two", STEPS)
    for key in one:
        np.testing.assert_allclose(two[key], one[key], rtol=1e-4, atol=1e-5, err_msg=key)


def test_the_log_is_that_of_one_process(runs):
    one, two = (Run.open(runs / name).metrics() for name in ("one", "two"))
    assert [row["step"] for row in two] == list(range(1, STEPS + 1))
    for mine, theirs in zip(one, two, strict=True):
        assert mine.keys() == theirs.keys()
        for name in ("epoch", "code", "drawn"):
            assert theirs[name] == pytest.approx(mine[name], rel=1e-5)


def test_the_run_tells_how_many_worked(runs):
    assert Run.open(runs / "two").environment()["workers"] == 2
    assert "workers" not in Run.open(runs / "one").environment()


class Stubs(collective.Collective):
    """Workers of which the others have nothing to add."""

    apart = True

    def _summed(self, flat):
        return flat


def dropped(rank):
    """Return what a worker's dropout leaves of a batch, and its seeds after that."""
    model = importlib.import_module("tests.workers.program").Dropping()
    made = engine.create(model)
    made.collective = Stubs(rank, 2)
    layer = model.encoder.layers[2]

    def fn(batch):
        return {"kept": ops.sum(layer(batch["x"], training=True))}

    kept = made.compile_step(fn)
    x = np.arange(16 * 8, dtype=np.float32).reshape(16, 8)
    made.begin_step(0, 0)
    found = made.fetch(kept({"x": x}, ()))["kept"]
    return found, [ops.convert_to_numpy(seed.value).tolist() for seed in made.state.seeds]


def test_each_worker_drops_other_units_and_keeps_the_same_seeds(active_backend):
    if active_backend == "jax":
        pytest.skip("on JAX workers drop what one process drops")
    found = []
    for rank in (0, 1, 0):
        random.seed(0)  # Keras draws the seeds of layers from here
        found.append(dropped(rank))
    assert found[0] == found[2]
    assert found[0][0] != found[1][0]
    assert found[0][1] == found[1][1]


@pytest.mark.full
def test_copies_stay_alike_where_each_drops_its_own(tmp_path):
    if activation.choose_backend() == "jax":
        pytest.skip("on JAX workers drop what one process drops")
    ended = work(tmp_path, "two", "Dropping", 3, 2)  # copies that differ are refused
    assert all(code == 0 for code, _ in ended), ended


@pytest.mark.once
def test_copies_that_part_are_refused(tmp_path):
    if activation.choose_backend() == "jax":
        pytest.skip("on JAX a step has the whole batch")
    ended = work(tmp_path, "two", "Forgetful", 3, 2)
    told = "After step 1 worker 1 has another seen than the first one"
    assert any(told in text for _, text in ended), ended
    assert all(code for code, _ in ended)


@pytest.fixture
def apart(active_backend):
    """This process as one of two workers of which each sees its part alone."""
    workers = collective.Collective(0, 2)
    workers.apart = True
    collective.join(workers)
    yield
    collective.join(collective.ALONE)


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("Stock", "can't put the statistics of batch_normalization.* together"),
        ("Adding", "can't merge total, declared with aggregation 'sum'"),
    ],
)
@pytest.mark.usefixtures("apart")
def test_what_nobody_can_merge_is_refused_before_anything_is_written(tmp_path, model, told):
    program = importlib.import_module("tests.workers.program")
    with pytest.raises(UsageError, match=told):
        program.train(tmp_path, "two", 1, model)
    assert list(tmp_path.iterdir()) == []
