"""What a machine's keras.json says changes nothing: a plan decides what is computed."""

import json
import os
import subprocess
import sys

import pytest

from genkit.plan import activation

pytestmark = pytest.mark.once

ODD = {
    "image_data_format": "channels_first",
    "floatx": "float64",
    "epsilon": 0.1,
    "nnx_enabled": True,
    "backend": "theano",
}
ASK = """
import keras
print(keras.config.image_data_format(), keras.config.floatx(), keras.config.epsilon(),
      keras.config.dtype_policy().name, keras.layers.Dense(1).dtype, keras.config.is_nnx_enabled())
"""
TRAIN = """
import genkit, sys
result = genkit.train("vae", dataset="digits", backend=sys.argv[1], config={"width": 4}, steps=2,
                      name=sys.argv[2], verbose=False)
print(genkit.load(result).generate(2).tobytes().hex(), result.outcome.metrics)
"""


@pytest.fixture
def odd_machine(tmp_path):
    """Variables of a machine whose Keras is set up in a way of its own."""
    (tmp_path / "keras").mkdir()
    (tmp_path / "keras/keras.json").write_text(json.dumps(ODD))
    return {
        **os.environ,
        "KERAS_HOME": str(tmp_path / "keras"),
        "KERAS_BACKEND": activation.choose_backend(),
    }


def python(text, *arguments, folder, env):
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments],
        cwd=folder, env={**env, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "beginning",
    [
        "import genkit; genkit.activate()",
        pytest.param("import genkit; genkit.Model", marks=pytest.mark.slow),
        pytest.param(
            "import keras; keras.Model(); import genkit; genkit.Model",
            id="keras first",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_keras_is_set_as_genkit_counts_on_it(odd_machine, tmp_path, beginning):
    env = {**odd_machine, "KERAS_NNX_ENABLED": "false"}  # else Keras needs flax when it comes first
    said = python(f"{beginning}\n{ASK}", folder=tmp_path, env=env)
    assert said.split() == ["channels_last", "float32", "1e-07", "float32", "float32", "False"]


@pytest.mark.slow
def test_a_run_computes_the_same_on_a_machine_set_up_otherwise(odd_machine, tmp_path):
    plain = {**odd_machine, "KERAS_HOME": str(tmp_path / "nothing")}
    backend = activation.choose_backend()
    here = python(TRAIN, backend, "here", folder=tmp_path, env=plain)
    there = python(TRAIN, backend, "there", folder=tmp_path, env=odd_machine)
    assert here == there


@pytest.mark.parametrize("settings", ['{"floatx": "bfloat16"}', '{"epsilon": 1}', "[]"])
def test_settings_that_keras_refuses_are_named(odd_machine, tmp_path, settings):
    (tmp_path / "keras/keras.json").write_text(settings)
    done = subprocess.run(
        [sys.executable, "-m", "genkit", "run", "vae", "--dataset", "digits", "--steps", "1"],
        cwd=tmp_path, env={**odd_machine, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("error: Keras can't be imported: ")
    assert str(tmp_path / "keras/keras.json") in done.stderr
    assert not (tmp_path / "runs").exists()
