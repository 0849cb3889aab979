"""Autoencoders whose latents a flow draws: what the flow learns, labels, guidance."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.builtin.models.cvae import CVAE
from genkit.builtin.models.flow_prior import FlowPrior
from genkit.builtin.models.latent_flow import LatentFlow
from genkit.builtin.models.vae import VAE
from genkit.builtin.models.vae_configs import LatentFlowConfig, VAEConfig
from genkit.data import training_rng
from genkit.data.source import ArraySource
from genkit.errors import DataError, UsageError
from genkit.evaluation import importance_nll

pytestmark = [
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

IMAGE = genkit.Field((8, 8, 1), "uint8", "image", (0, 255))
SCHEMA = genkit.Schema({"image": IMAGE})
LABELLED = genkit.Schema(
    {"image": IMAGE, "label": genkit.Field((), "int32", "label", classes=("cat", "dog", "owl"))}
)
SMALL = {"width": 4, "hidden": 16, "latent_dim": 3, "prior_width": 16, "prior_layers": 1}
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (70, 8, 8, 1), dtype=np.uint8)
DATA = {"image": IMAGES, "label": np.arange(70, dtype=np.int32) % 3}


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


def latent_flow(schema=LABELLED, **settings):
    return LatentFlow(LatentFlowConfig(**{**SMALL, **settings}), schema)


def teach(network):
    """Return a network weights with which its answer depends on all it sees."""
    rng = np.random.default_rng(1)
    network.set_weights([0.3 * rng.standard_normal(w.shape) for w in network.get_weights()])


def batch_of(model, n=70):
    arrays = {name: array[:n] for name, array in DATA.items()}
    arrays |= model.training_noise(training_rng(0, 0), n)
    return {name: ops.convert_to_tensor(array) for name, array in arrays.items()}


def test_the_flow_is_taught_the_velocity_of_straight_lines():
    prior = FlowPrior(VAEConfig(**SMALL), 0)
    latent, start = (
        RNG.standard_normal((5, 3), "float32"),
        RNG.standard_normal((5, 2, 3), "float32"),
    )
    time = RNG.random((5, 2), "float32")
    seen = []

    def watched(inputs):
        seen.append([numbers(each) for each in inputs])
        return ops.convert_to_tensor((latent[:, None] - start).reshape(10, 3) + 0.5)

    prior.call = watched
    loss = numbers(prior.loss(*map(ops.convert_to_tensor, (latent, start, time))))
    assert loss == pytest.approx(0.25, rel=1e-5), "half off everywhere"
    places, times = seen[0]
    expected = start + time[:, :, None] * (latent[:, None] - start)
    np.testing.assert_allclose(places, expected.reshape(10, 3), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(times, time.reshape(10))


@pytest.mark.parametrize("steps", [1, 4])
def test_following_the_velocity_of_a_straight_line_arrives(steps):
    prior = FlowPrior(VAEConfig(**SMALL), 0)
    noise = RNG.standard_normal((5, 3), "float32")
    still = numbers(prior.draw(ops.convert_to_tensor(noise), None, 1.0, steps))
    np.testing.assert_array_equal(still, noise, "before training there is no velocity")
    prior.leave.bias.assign([1.0, -2.0, 0.5])
    moved = numbers(prior.draw(ops.convert_to_tensor(noise), None, 1.0, steps))
    np.testing.assert_allclose(moved, noise + np.float32([1, -2, 0.5]), rtol=1e-5, atol=1e-6)


@pytest.mark.slow
def test_a_flow_draws_the_latents_that_an_encoder_makes_where_a_normal_does_not():
    """The latents of a trained model, here two heaps, come back in samples."""
    prior = FlowPrior(VAEConfig(**SMALL | {"prior_width": 32}), 0)

    class Heaps(genkit.Model):
        def __init__(self):
            super().__init__()
            self.prior = prior
            self.add_optimizer("prior", keras.optimizers.Adam(5e-3), prior)

        def training_noise(self, rng, n):
            heap = np.where(rng.random((n, 1)) < 0.5, 3.0, -3.0)
            latent = (heap + 0.1 * rng.standard_normal((n, 3))).astype("float32")
            start = rng.standard_normal((n, 4, 3), dtype="float32")
            return {"latent": latent, "start": start, "time": rng.random((n, 4), dtype="float32")}

        def training_step(self, batch, minimize):
            inputs = batch["latent"], batch["start"], batch["time"]
            return {"loss": minimize("prior", prior.loss, *inputs)[0]}

    Heaps().fit(IMAGES, steps=400, batch_size=64, verbose=False)
    noise = ops.convert_to_tensor(np.random.default_rng(1).standard_normal((256, 3), "float32"))
    drawn = numbers(prior.draw(noise, None, 1.0, 25))
    near = (np.abs(np.abs(drawn) - 3) < 0.8).all(axis=1) & (np.ptp(np.sign(drawn), axis=1) == 0)
    assert near.mean() > 0.9
    assert 0.3 < (drawn[:, 0] > 0).mean() < 0.7


@pytest.mark.parametrize(
    ("make", "step"),
    [
        (lambda: VAE(VAEConfig(**SMALL, prior="flow"), SCHEMA), False),
        (lambda: CVAE(VAEConfig(**SMALL, prior="flow"), LABELLED), True),
        (latent_flow, True),
        (lambda: latent_flow(SCHEMA), False),
        (lambda: latent_flow(conditional=False), False),
    ],
)
def test_the_flow_learns_by_label_where_the_model_has_labels(make, step):
    model = make()
    assert model.conditional is step
    assert bool(model.prior.no_label) is step
    assert set(model.optimizers) == {"vae", "prior"}
    teach(model.prior)
    if step:
        owls = model.generate(3, label="owl")
        assert not np.array_equal(owls, model.generate(3, label="cat"))


@pytest.mark.slow
def test_autoencoder_and_flow_learn_in_one_step():
    model = latent_flow()
    history = model.fit(ArraySource(DATA, LABELLED), steps=3, batch_size=35, verbose=False)
    assert set(history.history) == {"loss", "reconstruction_loss", "kl_loss", "prior_loss"}
    assert model.generate(4, guidance=2.0, sampling_steps=3).shape == (4, 8, 8, 1)


def test_labels_are_hidden_from_the_flow_now_and_then():
    model = latent_flow(label_dropout=0.5)
    batch, seen = batch_of(model), []
    model.prior.call = lambda inputs: seen.append(numbers(inputs[2])) or ops.zeros_like(inputs[0])
    model.prior_loss(ops.zeros((70, 3)), batch)
    hidden = numbers(batch["hide"]).reshape(-1) < 0.5
    np.testing.assert_array_equal(seen[0] == 3, hidden)
    np.testing.assert_array_equal(seen[0][~hidden], DATA["label"].repeat(4)[~hidden])


@pytest.mark.slow
def test_guidance_and_steps_are_settings_that_generation_may_change():
    model = latent_flow(guidance=2.0, sampling_steps=4)
    teach(model.prior)
    as_set = model.generate(5, seed=1)
    np.testing.assert_array_equal(as_set, model.generate(5, seed=1, guidance=2.0, sampling_steps=4))
    assert not np.array_equal(as_set, model.generate(5, seed=1, guidance=1.0))
    assert not np.array_equal(as_set, model.generate(5, seed=1, sampling_steps=9))
    with pytest.raises(UsageError, match="needs labels"):
        latent_flow(SCHEMA).generate(2, guidance=2.0)


def test_what_is_encoded_needs_no_label():
    model = latent_flow()
    np.testing.assert_array_equal(
        model.reconstruct(IMAGES[:3]), model.reconstruct(IMAGES[:3], label=["cat", "dog", "owl"])
    )
    assert model.interpolate(IMAGES[:2], IMAGES[2:4], 3).shape == (2, 3, 8, 8, 1)


def test_the_bound_of_a_normal_prior_is_not_told_of_a_flow():
    with pytest.raises(UsageError, match="normal prior"):
        importance_nll(latent_flow(), IMAGES[:5], samples=10)


def test_labels_that_are_asked_for_must_be_there():
    with pytest.raises(DataError, match="'label'"):
        latent_flow(SCHEMA, conditional=True)
