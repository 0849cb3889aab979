"""Every built-in passes the kit.

On JAX all of them do; elsewhere the four models that differ most, and what is no model. With
GENKIT_CONFORMANCE=1, as in `nox -s conformance`, everything does everywhere.
"""

import os

import pytest

from genkit.builtin.datasets import fashion_mnist
from genkit.builtin.model_specs import MODELS
from genkit.testing import checks_for, parametrize_with_checks

DIFFERENT = {"dcgan", "vae", "vq-vae", "ddpm"}
EVERYTHING = bool(os.environ.get("GENKIT_CONFORMANCE"))

pytestmark = pytest.mark.filterwarnings("ignore::Warning")


def bare_name(check):
    return check.subject.rpartition("/")[2]


@pytest.mark.slow
@parametrize_with_checks("genkit-keras")
def test_built_in(check):
    everywhere = EVERYTHING or os.environ.get("KERAS_BACKEND") == "jax"
    if check.kind == "models" and not everywhere and bare_name(check) not in DIFFERENT:
        pytest.skip("checked on JAX")
    if check.definition.spans_backends:
        pytest.skip("checked by the test that has all backends")
    if bare_name(check) == "fashion-mnist" and fashion_mnist.find() is None:
        pytest.skip("GENKIT_DATA names no folder with it, and tests download nothing")
    check()


@pytest.mark.slow
@pytest.mark.cross_backend
@pytest.mark.parametrize("name", sorted({m.name for m in MODELS} if EVERYTHING else DIFFERENT))
def test_built_in_model_is_the_same_on_every_backend(name):
    for check in checks_for(f"genkit-keras/{name}"):
        if check.definition.spans_backends:
            check()
