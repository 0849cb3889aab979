"""The baselines do what GenKit does: else comparing their speed would say nothing."""

from importlib import import_module

import keras
import numpy as np
import pytest

from genkit.builtin.models.dcgan import DCGAN
from genkit.builtin.models.gan_configs import DCGANConfig
from genkit.plan import activation
from tests.benchmarks.cases import CASES, SEED, batches, images_schema
from tests.benchmarks.native.start import variants
from tests.engine.small import stepper

STEPS = 2  # the second sees what the first update did to both networks
# PyTorch's Adam adds epsilon after the bias correction, Keras' before: the first updates differ.
TOLERANCE = {"jax": 2e-4, "tensorflow": 2e-4, "torch": 1e-3}


@pytest.fixture
def native(active_backend):
    return import_module(f"tests.benchmarks.native.{active_backend}")


def build(case):
    """Build a model without layer randomness, which no two implementations share."""
    keras.utils.set_random_seed(SEED)
    if case == "dcgan":
        return DCGAN(DCGANConfig(dropout=0.0), images_schema())
    return CASES[case].build()


def uncompiled(names):
    """Leave out those that only compile what another does: that takes a minute each."""
    return [name for name in names if not name.startswith("compile") and "xla" not in name]


# XLA compiles convolutional players for half a minute: on JAX they are for full runs.
LONG = {"dcgan", "wgan-gp"} if activation.choose_backend() == "jax" else set()


@pytest.mark.slow
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.full) if case in LONG else case
        for case in ("dcgan", "vae", "mlp-gan", "wgan-gp")
    ],
)
def test_a_baseline_trains_and_decodes_as_genkit_does(native, active_backend, case):
    tolerance = TOLERANCE[active_backend]
    model = build(case)
    engine, step = stepper(model)
    weights, _ = engine.state.read()
    seen = batches(CASES[case], model)[:STEPS]
    losses = [step(batch, number) for number, batch in enumerate(seen)]
    z = model.noise(np.random.default_rng(SEED), 64)["z"]
    images = engine.compile_inference(model.decode)(z=z)
    for variant in uncompiled(variants(active_backend, case)):
        baseline = native.make(case, "float32", variant, weights, dropout=0.0)
        for number, batch in enumerate(seen):
            received = {name: float(loss) for name, loss in baseline.step(batch).items()}
            assert received == pytest.approx(losses[number], rel=tolerance, abs=tolerance), variant
        baseline.synchronize()
        decoded = baseline.decode(z)
        assert decoded.dtype == np.float32
        np.testing.assert_allclose(decoded, images, rtol=0, atol=0.25, err_msg=variant)


@pytest.mark.slow
def test_generation_alone_needs_no_step(native, active_backend):
    model = build("dcgan")
    engine, _ = stepper(model)
    z = model.noise(np.random.default_rng(SEED), 64)["z"]
    baseline = native.make(
        "generation", "float32", variants(active_backend, "generation")[0], engine.state.read()[0]
    )
    images = engine.compile_inference(model.decode)(z=z)
    np.testing.assert_allclose(baseline.decode(z), images, rtol=0, atol=0.01)


def test_a_variant_that_a_case_lacks_is_refused_with_those_it_has(native):
    with pytest.raises(ValueError, match=r"Expected one of .* for mlp-gan; received 'handmade'"):
        native.make("mlp-gan", "float32", "handmade", {})
