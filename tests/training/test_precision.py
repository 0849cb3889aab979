"""What a model computes in: float32, bfloat16, float16, and what `auto` picks."""

import keras
import numpy as np
import pytest

import genkit
from genkit.builtin.models.dcgan import DCGAN
from genkit.builtin.models.gan_configs import DCGANConfig
from genkit.data import as_source
from genkit.engine.state import ModelState
from genkit.plan import activation, precision
from genkit.plan.precision import computing_in
from genkit.runs.run import Run

pytestmark = [
    pytest.mark.usefixtures("active_backend"),
    pytest.mark.filterwarnings("ignore:The training step runs eagerly:UserWarning"),
]

# bfloat16 carries 8 bits: 0.4 % of rounding error in each operation. Means of the losses over the
# last 50 of 200 steps, on the three backends: the VAE's differed from float32's by 0.02 %, its KL
# of 0.03 nats by 0.002; a GAN's two, which play a game and wander, by up to 0.046.
BAND = {"vae": 0.01, "dcgan": 0.15}
# XLA compiles convolutions in short types for a quarter of a minute: on JAX they are for full runs.
LONG = [pytest.mark.full] if activation.choose_backend() == "jax" else []
SIZE = {"gan": "hidden"}


@pytest.fixture
def train(tmp_path):
    def run(model, precision, steps):
        return genkit.train(
            model,
            dataset="digits",
            config={SIZE.get(model, "width"): 8, "latent_dim": 8, "learning_rate": 2e-3},
            batch_size=64,
            steps=steps,
            precision=precision,
            runs_dir=tmp_path,
            name=f"{model}-{precision}",
            verbose=False,
        )

    return run


def last_losses(result):
    rows = Run.open(result.path).metrics()[-50:]
    names = rows[0].keys() - {"step", "epoch", "seconds"}
    return {name: np.mean([row[name] for row in rows]) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize(
    "model", [pytest.param("vae", marks=LONG), pytest.param("dcgan", marks=pytest.mark.full)]
)
def test_bfloat16_stays_within_a_band_of_float32(train, model):
    wide, short = (last_losses(train(model, p, steps=200)) for p in ("float32", "bfloat16"))
    assert wide.keys() == short.keys()
    for name, value in wide.items():
        assert short[name] == pytest.approx(value, rel=BAND[model], abs=BAND[model]), name
        assert short[name] != value, "bfloat16 was not used"


def build():
    return DCGAN(DCGANConfig(width=4), as_source(np.zeros((1, 8, 8, 1), np.uint8)).schema)


def test_only_the_inner_layers_compute_in_the_short_type():
    with computing_in("bfloat16"):
        model = build()
    dtypes = {layer.compute_dtype for layer in model.generator.layers[:-1]}
    assert dtypes == {"bfloat16"}
    for network in (model.generator, model.discriminator):
        assert keras.backend.standardize_dtype(network.outputs[0].dtype) == "float32"
    state = ModelState(model)
    for key, variable in state.weights.items():
        assert keras.backend.standardize_dtype(variable.dtype) == "float32", key
    assert model.generate(2).dtype == np.float32


def test_building_leaves_keras_policy_as_it_was():
    before = keras.config.dtype_policy()
    with pytest.raises(ZeroDivisionError), computing_in("bfloat16"):
        raise ZeroDivisionError
    assert keras.config.dtype_policy() == before


@pytest.mark.slow
def test_float16_scales_the_loss_of_every_optimizer(train):
    with computing_in("float16"):
        model = build()
    assert all(
        isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
        for optimizer in model.optimizers.values()
    )
    losses = train("gan", "float16", steps=4).outcome.metrics
    assert np.isfinite(list(losses.values())).all()


@pytest.mark.slow
def test_a_model_trained_in_float16_generates_in_float32(train):
    result = train("gan", "float16", steps=2)
    samples = genkit.load(result).generate(2)
    assert samples.dtype == np.float32
    assert np.isfinite(samples).all()


@pytest.mark.slow
def test_training_state_moves_between_precisions():
    with computing_in("float16"):
        scaled = build()
    plain = build()
    weights, training = ModelState(scaled).read()
    assert any("/loss_scale/" in key for key in training)
    for source, target in ((scaled, plain), (plain, scaled)):
        weights, training = ModelState(source).read()
        key = "optimizers/generator/momentums/generator/layers/0/kernel"
        training[key] = training[key] + 1
        ModelState(target).load_weights(weights)
        ModelState(target).load_training(training)
        np.testing.assert_array_equal(ModelState(target).read()[1][key], training[key])


CPU, GPU = {"platform": "cpu"}, {"platform": "gpu"}


@pytest.mark.parametrize(
    ("backend", "device", "flags", "expected"),
    [
        ("torch", CPU, {"avx512_bf16"}, "bfloat16"),
        ("tensorflow", CPU, {"amx_bf16"}, "bfloat16"),
        ("jax", CPU, {"avx512_bf16"}, "float32"),
        ("torch", CPU, {"avx2"}, "float32"),
        ("torch", GPU, {"avx512_bf16"}, "float32"),
    ],
)
def test_auto_takes_the_short_type_only_where_it_was_measured_to_pay(
    backend, device, flags, expected, monkeypatch
):
    monkeypatch.setattr(precision, "cpu_flags", lambda: frozenset(flags))
    assert precision.settle("auto", backend, device) == expected
    assert precision.settle("float16", backend, device) == "float16"


@pytest.mark.slow
def test_the_run_records_what_auto_became(train):
    assert train("vae", "auto", steps=1).run.plan.precision in ("float32", "bfloat16")
