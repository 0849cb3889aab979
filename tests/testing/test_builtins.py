"""Every built-in passes the kit.

Models are tried whole where they differ most, and the others' records and building on JAX. With
GENKIT_CONFORMANCE=1, as in `nox -s conformance`, everything is tried everywhere.
"""

import os

import pytest

from genkit.builtin.datasets import fashion_mnist
from genkit.builtin.model_specs import MODELS
from genkit.testing import checks_for, parametrize_with_checks

ON_JAX = {"dcgan", "vae", "vq-vae"}
ELSEWHERE = {"dcgan", "vq-vae"}  # on PyTorch and TensorFlow
ACROSS = {"dcgan", "vae", "vq-vae", "ddpm"}
SHORT = ("record_checks", "building_checks")
EVERYTHING = bool(os.environ.get("GENKIT_CONFORMANCE"))

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def bare_name(check):
    return check.subject.rpartition("/")[2]


def is_tried(check):
    if EVERYTHING or check.kind != "models":
        return True
    if os.environ.get("KERAS_BACKEND") != "jax":
        return bare_name(check) in ELSEWHERE
    module = check.definition.function.__module__.rpartition(".")[2]
    return bare_name(check) in ON_JAX or module in SHORT


@pytest.mark.slow
@pytest.mark.usefixtures(*() if EVERYTHING else ("compiled_fast",))
@parametrize_with_checks("genkit-keras")
def test_built_in(check):
    if not is_tried(check):
        pytest.skip("checked by nox -s conformance")
    if check.definition.spans_backends:
        pytest.skip("checked by the test that has all backends")
    if bare_name(check) == "fashion-mnist" and fashion_mnist.find() is None:
        pytest.skip("GENKIT_DATA names no folder with it, and tests download nothing")
    on_extractor = check.definition.function.__module__.endswith("extractor_checks")
    if on_extractor and bare_name(check) in ("mobilenet", "inception"):
        pytest.skip("its weights are downloaded on use, and tests download nothing")
    check()


@pytest.mark.slow
@pytest.mark.cross_backend
@pytest.mark.parametrize("name", sorted({m.name for m in MODELS} if EVERYTHING else ACROSS))
def test_built_in_model_is_the_same_on_every_backend(name):
    for check in checks_for(f"genkit-keras/{name}"):
        if check.definition.spans_backends:
            check()
