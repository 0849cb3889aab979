"""What is the whole process's stays as it is when a name is imported or read."""

import os
import subprocess
import sys
import threading

import pytest

import genkit
from genkit.data.memory import bounded_weights
from genkit.errors import RunError
from genkit.plan import activation

WAITING = {"GOMP_SPINCOUNT", "OMP_WAIT_POLICY"}


@pytest.fixture
def tuned(monkeypatch):
    """Count how often the C library is told to keep freed memory."""
    calls = []
    monkeypatch.setattr(activation, "keep_freed_memory", lambda: calls.append("told"))
    return calls


def test_reading_a_name_binds_keras_and_leaves_the_memory_of_the_process_alone(
    monkeypatch, tuned, active_backend
):
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    for name in ("Model", "Autoencoder", "Trainer", "GAN", "gradient"):
        monkeypatch.delitem(vars(genkit), name, raising=False)
        assert getattr(genkit, name) is not None
    assert os.environ["KERAS_BACKEND"] == active_backend
    assert tuned == []


def test_activating_a_backend_tunes_the_process(tuned, active_backend):
    assert genkit.activate() == active_backend
    assert tuned == ["told"]


def test_fit_tunes_the_process(tuned, active_backend):
    import numpy as np

    from tests.engine.small import mlp_gan

    data = {"vector": np.eye(4, dtype="float32")}
    mlp_gan().fit(data, steps=1, batch_size=4, verbose=False)
    assert tuned == ["told"]


def test_openmp_waits_briefly_on_pytorch_unless_a_person_chose(active_backend):
    program = "import os, genkit; genkit.activate(); print(os.environ.get('GOMP_SPINCOUNT'))"

    def told(**chosen):
        env = {k: v for k, v in os.environ.items() if k not in WAITING}
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True,
            env={**env, **chosen},
        )  # fmt: skip
        return done.stdout.strip()

    assert told() == ("30000" if active_backend == "torch" else "None")
    if active_backend == "torch":
        assert told(GOMP_SPINCOUNT="7") == "7"
        assert told(OMP_WAIT_POLICY="active") == "None"


_FAULTS = """
import resource, genkit
genkit.activate("jax")
import jax, jax.numpy as jnp
between = jax.jit(lambda x, y: (x @ y) @ y.T)  # 48 MB on its way
x, y = jnp.ones((5000, 8)), jnp.ones((8, 2400))
faults = []
for _ in range(4):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    between(x, y).block_until_ready()
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
print(min(faults[1:]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="what it asks of is glibc")
def test_steps_on_jax_take_no_memory_anew(active_backend):
    if active_backend != "jax":
        pytest.skip("others take many small blocks")
    told = subprocess.run(
        [sys.executable, "-c", _FAULTS], capture_output=True, text=True, check=True
    ).stdout
    assert int(told) < 1000  # pages; 48 MB are 12,000


def dense(inputs):
    import keras

    layer = keras.layers.Dense(1, use_bias=False)
    layer.build((None, inputs))
    return layer


def test_builders_in_two_threads_are_bounded_each_by_its_own_limit(active_backend):
    import keras

    before = keras.Layer.add_weight
    inside, told = threading.Event(), {}

    def build(name, at_most, inputs):
        try:
            with bounded_weights(at_most):
                inside.set()
                dense(inputs)
                told[name] = "built"
        except RunError:
            told[name] = "refused"

    with bounded_weights(10):
        threads = [
            threading.Thread(target=build, args=args) for args in (("small", 5, 9), ("large", 9, 9))
        ]
        for thread in threads:
            thread.start()
        assert not inside.wait(0.1)
        dense(10)
    for thread in threads:
        thread.join()
    assert told == {"small": "refused", "large": "built"}
    assert keras.Layer.add_weight is before


def test_weights_that_a_file_replaces_are_blank_until_then(active_backend):
    """Random ones would be compiled, and thrown away; those of another thread are as ever."""
    import keras

    def built():
        layer = keras.layers.Dense(3)
        layer.build((None, 4))
        return float(abs(keras.ops.convert_to_numpy(layer.kernel)).sum())

    sums = {}
    with bounded_weights(100, blank=True):
        other = threading.Thread(target=lambda: sums.update(other=built()))
        other.start()
        other.join()
        sums["own"] = built()
    assert sums["own"] == 0 < sums["other"]


def test_weights_of_another_thread_are_not_counted(active_backend):
    with bounded_weights(5):
        other = threading.Thread(target=dense, args=(100,))
        other.start()
        other.join()
        dense(5)
        with pytest.raises(RunError, match="room for 5"):
            dense(1)
