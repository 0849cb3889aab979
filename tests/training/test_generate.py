"""Generation: item i depends only on (seed, i), in the data's own range."""

import random

import keras
import numpy as np
import pytest

import genkit
from genkit.builtin.models.gan_configs import DCGANConfig
from genkit.builtin.models.vae_configs import VAEConfig
from genkit.errors import DataError, UsageError

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")


def schema(size=8, channels=1, limits=(0, 255)):
    return genkit.Schema({"image": genkit.Field((size, size, channels), "uint8", "image", limits)})


def build(name, **changes):
    random.seed(0)  # Keras draws from it: some small networks give one picture for all noise
    if name == "dcgan":
        from genkit.builtin.models.dcgan import DCGAN

        return DCGAN(DCGANConfig(width=4, latent_dim=8), schema(**changes))
    from genkit.builtin.models.vae import VAE

    return VAE(VAEConfig(width=8, hidden=32, latent_dim=3), schema(**changes))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan", "vae"])
def test_ten_samples_are_the_first_of_a_hundred_to_the_bit(name):
    model = build(name)
    many = model.generate(100, seed=3)
    assert many.shape == (100, 8, 8, 1)
    assert many.dtype == np.float32
    np.testing.assert_array_equal(model.generate(10, seed=3), many[:10])
    assert not np.array_equal(model.generate(10, seed=4), many[:10])
    assert len(np.unique(many.reshape(100, -1), axis=0)) == 100


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dcgan", "vae"])
@pytest.mark.parametrize(("size", "channels", "limits"), [(12, 3, (0, 255)), (4, 1, (-2, 7))])
def test_any_size_and_channels_and_the_range_of_the_data(name, size, channels, limits):
    samples = build(name, size=size, channels=channels, limits=limits).generate(5)
    assert samples.shape == (5, size, size, channels)
    assert limits[0] <= samples.min() < samples.max() <= limits[1]


@pytest.mark.parametrize("name", ["dcgan", "vae"])
def test_a_size_the_model_can_not_do_says_what_to_add(name):
    with pytest.raises(DataError, match=r"multiples of 4; received 10x10.*resize=12x12"):
        build(name, size=10)


def test_generating_nothing_is_refused():
    with pytest.raises(UsageError, match="at least 1; received 0"):
        build("vae").generate(0)


def test_the_reference_dcgan_has_the_published_shapes():
    from genkit.builtin.models.dcgan import DCGAN

    model = DCGAN(DCGANConfig(), schema(28))
    shapes = [tuple(layer.output.shape[1:]) for layer in model.generator.layers]
    assert (12544,) in shapes
    for shape in ((7, 7, 256), (14, 14, 128), (28, 28, 64), (28, 28, 1)):
        assert shape in shapes
    assert model.discriminator.output_shape == (None, 1)
    for optimizer in model.optimizers.values():
        assert isinstance(optimizer, keras.optimizers.Adam)
        assert float(optimizer.learning_rate) == pytest.approx(2e-4)
        assert optimizer.beta_1 == 0.5


@pytest.mark.slow
def test_the_vae_loss_is_its_two_terms_and_the_bound_of_a_known_case():
    """With an encoder of zeros q is the prior, and with logits of zero each pixel costs log 2."""
    model = build("vae")
    for layer in (model.encoder.layers[-1], model.decoder.layers[-1]):
        for variable in layer.weights:
            variable.assign(np.zeros(variable.shape))
    batch = {
        "image": np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1)).astype("uint8"),
        "z": np.zeros((6, 3), "float32"),
        "kl_weight": np.float32(1.0),
    }
    loss, logs = model.loss({k: keras.ops.convert_to_tensor(v) for k, v in batch.items()})
    kl_loss, loss = (keras.ops.convert_to_numpy(x) for x in (logs["kl_loss"], loss))
    assert kl_loss == pytest.approx(0, abs=1e-6)
    assert loss == pytest.approx(64 * np.log(2), rel=1e-5)


def test_the_gaussian_likelihood_is_the_normal_density():
    from genkit.losses import gaussian_nll

    x, mean = np.array([[0.2, 0.5]], "float32"), np.array([[0.1, 0.9]], "float32")
    expected = -np.log(np.exp(-0.5 * ((x - mean) / 0.1) ** 2) / (0.1 * np.sqrt(2 * np.pi))).sum()
    found = gaussian_nll(keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(mean), 0.1)
    assert float(found[0]) == pytest.approx(expected, rel=1e-5)


def test_kl_weight_warms_up():
    from genkit.builtin.models.vae import VAE

    model = VAE(VAEConfig(width=4, hidden=8, kl_weight=2.0, kl_warmup_steps=4), schema())
    weights = [model.schedule(step)["kl_weight"] for step in (0, 1, 4, 9)]
    assert weights == [0.0, 0.5, 2.0, 2.0]


def test_gan_losses_know_the_undecided_discriminator():
    from genkit.losses import discriminator_non_saturating, generator_non_saturating

    zeros = keras.ops.zeros((4, 1))
    assert float(discriminator_non_saturating(zeros, zeros)) == pytest.approx(2 * np.log(2))
    assert float(generator_non_saturating(zeros)) == pytest.approx(np.log(2))
