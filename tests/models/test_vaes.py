"""The variational autoencoders: their latents, and the bound on the likelihood."""

import random

import numpy as np
import pytest
from keras import ops

import genkit
from genkit.builtin.models.cvae import CVAE
from genkit.builtin.models.vae import VAE
from genkit.builtin.models.vae_configs import BetaVAEConfig, VAEConfig
from genkit.errors import UsageError
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
IMAGES = np.random.default_rng(0).integers(0, 256, (70, 8, 8, 1), dtype=np.uint8)


def vae(latent_dim=3, **settings):
    return VAE(VAEConfig(width=4, hidden=16, latent_dim=latent_dim, **settings), SCHEMA)


def cvae():
    return CVAE(VAEConfig(width=4, hidden=16, latent_dim=3), LABELLED)


def test_latents_are_the_posterior_means_and_their_decoding_the_reconstruction():
    model = vae()
    latent = model.encode(IMAGES)
    mean, _ = model.posterior(ops.convert_to_tensor(IMAGES))
    np.testing.assert_allclose(latent, ops.convert_to_numpy(mean), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        model.reconstruct(IMAGES), model.map_items("from_latent", latent=latent), rtol=1e-5
    )


@pytest.mark.slow
def test_a_row_does_not_depend_on_its_neighbours_or_their_number():
    model = vae()
    np.testing.assert_array_equal(model.encode(IMAGES)[:3], model.encode(IMAGES[:3]))
    np.testing.assert_array_equal(model.reconstruct(IMAGES)[69:], model.reconstruct(IMAGES[69:]))


def test_a_walk_goes_straight_from_one_reconstruction_to_the_other():
    model = vae()
    walk = model.interpolate(IMAGES[:2], IMAGES[2:4], steps=5)
    assert walk.shape == (2, 5, 8, 8, 1)
    np.testing.assert_allclose(walk[:, 0], model.reconstruct(IMAGES[:2]), rtol=1e-5)
    np.testing.assert_allclose(walk[:, -1], model.reconstruct(IMAGES[2:4]), rtol=1e-5)
    middle = (model.encode(IMAGES[:2]) + model.encode(IMAGES[2:4])) / 2
    np.testing.assert_allclose(walk[:, 2], model.map_items("from_latent", latent=middle), rtol=1e-4)
    with pytest.raises(UsageError, match="2 steps or more"):
        model.interpolate(IMAGES[:2], IMAGES[2:4], steps=1)
    with pytest.raises(UsageError, match="one shape"):
        model.interpolate(IMAGES[:2], IMAGES[2:5])


def test_a_conditional_model_wants_the_labels_of_what_it_encodes():
    model = cvae()
    with pytest.raises(UsageError, match="needs the label"):
        model.encode(IMAGES[:3])
    with pytest.raises(UsageError, match="or 3 of them; received 2"):
        model.encode(IMAGES[:3], label=["cat", "dog"])
    as_names = model.reconstruct(IMAGES[:3], label=["cat", "dog", "owl"])
    np.testing.assert_array_equal(as_names, model.reconstruct(IMAGES[:3], label=[0, 1, 2]))
    assert not np.array_equal(as_names, model.reconstruct(IMAGES[:3], label=[1, 1, 1]))
    assert model.interpolate(IMAGES[:2], IMAGES[2:4], 3, label=[0, 1]).shape == (2, 3, 8, 8, 1)


def test_the_bound_is_the_likelihood_where_that_is_known():
    """A decoder that ignores its latent gives each pixel log 2, whatever the encoder says."""
    model = vae()
    for variable in model.decoder.layers[-1].weights:
        variable.assign(np.zeros(variable.shape))
    found = importance_nll(model, IMAGES[:5], samples=200)
    np.testing.assert_allclose(found, 64 * np.log(2), atol=0.2)


@pytest.mark.slow
def test_the_bound_is_the_integral_over_the_latents():
    """With one latent dimension the likelihood can be integrated on a grid."""
    model = vae(latent_dim=1)
    model.fit(IMAGES, steps=60, batch_size=35, verbose=False)
    z = np.linspace(-6, 6, 1201, dtype=np.float32)
    logits = ops.convert_to_numpy(model.decoder(z[:, None])).reshape(len(z), -1).astype("float64")
    x = IMAGES[:4].reshape(4, -1) / 255.0
    log_joint = x @ logits.T - np.logaddexp(0, logits).sum(axis=1) - z**2 / 2
    peak = log_joint.max(axis=1, keepdims=True)
    area = np.exp(log_joint - peak).sum(axis=1) * (z[1] - z[0]) / np.sqrt(2 * np.pi)
    expected = -(np.log(area) + peak[:, 0])
    found = importance_nll(model, IMAGES[:4], samples=1000)
    np.testing.assert_allclose(found, expected, atol=0.1)


@pytest.mark.slow
def test_the_loss_is_what_the_bound_s_weights_are_on_average():
    """``E log w = E log p(x | z) - KL``: by samples on one side, by the formula on the other."""
    random.seed(0)
    model = vae()
    model.encoder.layers[-1].kernel.assign(
        0 * ops.convert_to_numpy(model.encoder.layers[-1].kernel)
    )
    model.encoder.layers[-1].bias.assign([0.5, -0.5, 1.0, -2.0, 1.0, 0.5])  # means, log variances
    noise = np.random.default_rng(0).standard_normal((4000, 3), np.float32)
    noise -= noise.mean(axis=0)
    noise /= noise.std(axis=0)  # now the terms' averages are exact, up to rounding
    items, noise = map(ops.convert_to_tensor, (np.repeat(IMAGES[:1], 4000, axis=0), noise))
    terms = ops.convert_to_numpy(model.bound_terms(items, noise)).mean(axis=0)
    weights = ops.convert_to_numpy(model.log_weights(items[:1], noise[None])).mean()
    assert weights == pytest.approx(-terms.sum(), abs=1e-3)


@pytest.mark.slow
def test_more_samples_tighten_the_bound():
    """An encoder that says nothing leaves it to the samples to find what explains an image."""
    random.seed(0)  # Keras draws the seeds of weights from it
    model = vae()
    for variable in model.encoder.layers[-1].weights:
        variable.assign(np.zeros(variable.shape))
    kernel = model.decoder.layers[-1].kernel
    kernel.assign(60 * ops.convert_to_numpy(kernel))
    few, many = (importance_nll(model, IMAGES, samples=k).mean() for k in (10, 300))
    noise = np.random.default_rng(0).standard_normal((70, 3), np.float32)
    one = model.map_items("bound_terms", items=IMAGES, noise=noise).sum(axis=1).mean()
    assert many < few - 0.1 < one - 0.2


@pytest.mark.slow
def test_an_item_s_bound_depends_on_its_place_and_the_seed_alone():
    model = vae()
    whole = importance_nll(model, IMAGES, samples=20, seed=1)
    np.testing.assert_allclose(importance_nll(model, IMAGES[:5], samples=20, seed=1), whole[:5])
    assert not np.allclose(importance_nll(model, IMAGES[:5], samples=20, seed=2), whole[:5])
    with pytest.raises(ValueError, match="multiple of 10 samples; received 15"):
        importance_nll(model, IMAGES, samples=15)


@pytest.mark.slow
def test_beta_weighs_the_divergence():
    model = VAE(BetaVAEConfig(width=4, hidden=16, latent_dim=3), SCHEMA)
    assert model.schedule(0)["kl_weight"] == 4.0
    batch = {"image": ops.convert_to_tensor(IMAGES), "z": ops.zeros((70, 3)), "kl_weight": 4.0}
    loss, logs = model.loss(batch)
    terms = [float(ops.convert_to_numpy(x)) for x in (logs["reconstruction_loss"], logs["kl_loss"])]
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(terms[0] + 4 * terms[1], rel=1e-5)


@pytest.mark.slow
def test_the_divergence_gains_weight_over_the_warm_up():
    model = vae(kl_weight=2.0, kl_warmup_steps=10)
    weights = [model.schedule(step)["kl_weight"] for step in (0, 5, 10, 1000)]
    assert weights == [0.0, 1.0, 2.0, 2.0]
    assert vae(kl_weight=2.0).schedule(0)["kl_weight"] == 2.0
