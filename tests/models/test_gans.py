"""The GAN family: its parts combine, and its updates are the ones they are said to be."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import genkit
from genkit.builtin.models.gan_configs import DCGANConfig, WGANGPConfig
from genkit.data import training_rng
from genkit.engine.state import ModelState
from genkit.errors import UsageError

pytestmark = [
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SCHEMA = genkit.Schema({"image": genkit.Field((8, 8, 1), "uint8", "image", (0, 255))})
IMAGES = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), dtype=np.uint8)


def vector_gan(**settings):
    generator = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    discriminator = keras.Sequential([keras.Input((2,)), layers.Dense(1, use_bias=False)])
    schema = genkit.Schema({"vector": genkit.Field((2,), "float32", "vector", (-1, 1))})
    return genkit.GAN(generator, discriminator, schema=schema, **settings)


def number(scalar):
    return float(ops.convert_to_numpy(scalar))


def batch_of(model, n=8):
    rng = np.random.default_rng(0)
    noise = model.training_noise(training_rng(0, 0), n)
    vector = rng.uniform(-1, 1, (n, 2)).astype("float32")
    return {k: ops.convert_to_tensor(v) for k, v in {"vector": vector, **noise}.items()}


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["minimax", "non-saturating", "hinge", "wasserstein"])
@pytest.mark.parametrize(
    "penalties", [{"gradient_penalty": 10.0}, {"r1": 2.0}, {"r2": 3.0}, {"r1": 1.0, "r2": 4.0}]
)
def test_any_loss_goes_with_any_penalties(loss, penalties):
    """The slope of a linear discriminator is its kernel everywhere, so the penalties are known."""
    plain, model = vector_gan(loss=loss), vector_gan(loss=loss, **penalties)
    for ours, theirs in zip(model.variables, plain.variables, strict=True):
        ours.assign(theirs)
    batch = batch_of(model)
    norm = np.linalg.norm(ops.convert_to_numpy(model.discriminator.layers[-1].kernel))
    expected = penalties.get("gradient_penalty", 0) * (norm - 1) ** 2
    expected += (penalties.get("r1", 0) + penalties.get("r2", 0)) * norm**2 / 2
    added = number(model.discriminator_loss(batch)) - number(plain.discriminator_loss(batch))
    assert added == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert number(model.generator_loss(batch)) == pytest.approx(number(plain.generator_loss(batch)))


def test_a_gan_without_a_record_generates_the_field_that_its_discriminator_takes():
    """Whatever stands before it: no modality comes first."""
    model = vector_gan()
    fields = {"age": genkit.Field((), "float32", "number"), **model.schema.fields}
    for names in (("age", "vector"), ("vector", "age")):
        schema = genkit.Schema({name: fields[name] for name in names})
        assert model.usual_output(schema) == ("vector",)
    assert model.generated_field() == "vector"


def test_r1_looks_at_real_items_and_r2_at_generated_ones():
    """The slope of D(x) = |x|^2 is 2x, so the penalties tell where they were taken."""
    square = [keras.Input((2,)), layers.Lambda(ops.square)]
    head = layers.Dense(1, use_bias=False, kernel_initializer="ones")
    losses = {}
    for name, penalties in {"none": {}, "r1": {"r1": 1.0}, "r2": {"r2": 1.0}}.items():
        model = vector_gan(**penalties)
        model.discriminator = keras.Sequential([*square, head])
        model.generator.set_weights([np.ones((3, 2)), np.zeros(2)])
        losses[name] = number(model.discriminator_loss(batch_of(model)))
    batch = {k: ops.convert_to_numpy(v) for k, v in batch_of(model).items()}
    fake = batch["z"] @ np.ones((3, 2))
    for name, items in (("r1", batch["vector"]), ("r2", fake)):
        expected = 0.5 * ((2 * items) ** 2).sum(axis=1).mean()
        assert losses[name] - losses["none"] == pytest.approx(expected, rel=1e-4)


def test_an_unknown_loss_is_refused():
    with pytest.raises(UsageError, match=r"relativistic; received 'best'"):
        vector_gan(loss="best")


@pytest.mark.slow
def test_critic_steps_update_the_critic_so_often_on_batches_of_their_own():
    model = vector_gan(loss="wasserstein", critic_steps=3)
    seen = []
    original = model.training_step

    def watched(batches, minimize):
        seen.append(len(batches))
        return original(batches, minimize)

    model.training_step = watched
    vectors = np.random.default_rng(0).uniform(-1, 1, (60, 2)).astype("float32")
    model.fit(vectors, steps=4, batch_size=5, verbose=False)
    assert set(seen) == {3}
    updates = {k: int(o.iterations) for k, o in model.optimizers.items()}
    assert updates == {"discriminator": 12, "generator": 4}


@pytest.mark.slow
def test_averaged_generator_weights_are_an_exponential_average():
    from genkit.builtin.models.dcgan import DCGAN

    config = DCGANConfig(width=4, latent_dim=4, generator_average=0.9)
    model = DCGAN(config, SCHEMA)
    kernel = model.generator.layers[0].kernel
    expected, kept = np.zeros(kernel.shape), []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            kept.append(np.array(ops.convert_to_numpy(kernel.value)))

    model.fit(IMAGES, steps=5, batch_size=16, callbacks=[Watch()], verbose=False)
    # Keras starts the average at the first value.
    expected = kept[0]
    for value in kept[1:]:
        expected = 0.9 * expected + 0.1 * value
    close = {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(ops.convert_to_numpy(kernel.value), expected, **close)
    kernel.assign(kept[-1])
    with model.averaged_weights():
        np.testing.assert_allclose(ops.convert_to_numpy(kernel.value), expected, **close)
    np.testing.assert_array_equal(ops.convert_to_numpy(kernel.value), kept[-1])


@pytest.mark.slow
def test_spectral_normalisation_bounds_the_discriminator():
    from genkit.builtin.models.gan_configs import SNGANConfig
    from genkit.builtin.models.sngan import SNGAN

    model = SNGAN(SNGANConfig(width=4, latent_dim=4), SCHEMA)
    model.fit(IMAGES, steps=20, batch_size=16, verbose=False)
    normalised = [la for la in model.discriminator.layers if hasattr(la, "u")]
    assert len(normalised) == 3
    rng = np.random.default_rng(0)
    a, b = (rng.uniform(-1, 1, (32, 8, 8, 1)).astype("float32") for _ in range(2))
    scores = [ops.convert_to_numpy(model.discriminator(x)) for x in (a, b)]
    distance = np.sqrt(((a - b) ** 2).sum(axis=(1, 2, 3)))
    # A convolution of 4x4 with stride 2 sees each pixel 4 times: twice the matrix' norm at most.
    assert (np.abs(scores[0] - scores[1])[:, 0] <= 1.1 * 4 * distance).all()


@pytest.mark.slow
def test_noise_for_the_penalty_is_no_part_of_generation():
    from genkit.builtin.models.wgan_gp import WGANGP

    model = WGANGP(WGANGPConfig(width=4, latent_dim=4), SCHEMA)
    assert set(model.training_noise(training_rng(0, 0), 2)) == {"z", "mix"}
    assert model.generate(3).shape == (3, 8, 8, 1)


def test_the_optimizers_are_the_papers():
    from genkit.builtin.models.wgan_gp import WGANGP

    model = WGANGP(WGANGPConfig(width=4), SCHEMA)
    assert model.batches_per_step == 5
    for optimizer in model.optimizers.values():
        values = float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2
        assert values == pytest.approx((1e-4, 0.0, 0.9))


@pytest.mark.slow
def test_a_penalised_step_changes_every_weight_but_nothing_else():
    from genkit.builtin.models.wgan_gp import WGANGP

    model = WGANGP(WGANGPConfig(width=4, latent_dim=4, critic_steps=1), SCHEMA)
    before, _ = ModelState(model).read()
    model.fit(IMAGES, steps=2, batch_size=16, verbose=False)
    after, _ = ModelState(model).read()
    still = [name for name in before if np.array_equal(before[name], after[name])]
    # A critic's last bias has no gradient: its mean cancels in the Wasserstein loss.
    assert still == ["discriminator/layers/7/bias"] or not still


@pytest.mark.slow
def test_augmented_images_are_all_the_discriminator_sees():
    from genkit.builtin.models.dcgan import DCGAN

    model = DCGAN(DCGANConfig(width=4, latent_dim=4, augment="color translation cutout"), SCHEMA)
    assert model.augment == ("color", "translation", "cutout")
    noise = model.training_noise(training_rng(0, 0), 8)
    assert noise["augment"].shape == (8, 2, 7)
    seen, original = [], model.score

    def watched(items, batch):
        seen.append(ops.convert_to_numpy(items))
        return original(items, batch)

    model.score = watched
    batch = {k: ops.convert_to_tensor(v) for k, v in {"image": IMAGES[:8], **noise}.items()}
    model.discriminator_loss(batch)
    real = IMAGES[:8] / 127.5 - 1
    for which, images in enumerate((real, ops.convert_to_numpy(model.generator(batch["z"])))):
        assert (seen[which] == 0).all(axis=3).sum(axis=(1, 2)).min() >= 4, "a part is cut out"
        assert np.abs(seen[which] - images).max() > 0.1
    model.score = original
    model.fit(IMAGES, steps=3, batch_size=16, verbose=False)
    assert set(model.noise(training_rng(0, 0), 2)) == {"z"}


@pytest.mark.slow
def test_real_and_generated_images_are_changed_by_draws_of_their_own():
    from genkit.layers import augment_images

    generator = keras.Sequential(
        [
            keras.Input((1,)),
            layers.Dense(64, kernel_initializer="zeros", bias_initializer="ones"),
            layers.Reshape((8, 8, 1)),
        ]
    )
    discriminator = keras.Sequential([keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)])
    model = genkit.GAN(generator, discriminator, augment=["cutout"], schema=SCHEMA)
    noise = model.training_noise(training_rng(0, 0), 4)
    ones = np.ones((4, 8, 8, 1), np.float32)
    seen = []
    model.score = lambda items, batch: seen.append(items) or discriminator(items)
    model.discriminator_loss(
        {k: ops.convert_to_tensor(v) for k, v in {"image": ones, **noise}.items()}
    )
    for which, items in enumerate(seen):
        expected = augment_images(
            ops.convert_to_tensor(ones), noise["augment"][:, which], ["cutout"]
        )
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (items, expected)))


@pytest.mark.slow
@pytest.mark.parametrize("condition", ["projection", "concatenation"])
def test_both_networks_of_a_cgan_see_the_label(condition):
    from genkit.builtin.models.cgan import CGAN
    from genkit.builtin.models.gan_configs import CGANConfig

    label = genkit.Field((), "int32", "label", classes=("cat", "dog", "owl"))
    model = CGAN(
        CGANConfig(width=4, latent_dim=8, condition=condition), SCHEMA.replace(label=label)
    )
    rng = np.random.default_rng(0)
    noise, images = (rng.standard_normal(shape, "float32") for shape in ((1, 8), (1, 8, 8, 1)))
    for network, inputs in ((model.generator, noise), (model.discriminator, images)):
        network.set_weights([rng.standard_normal(w.shape) for w in network.get_weights()])
        answers = ops.convert_to_numpy(network([np.repeat(inputs, 3, axis=0), np.arange(3)]))
        for one, other in ((0, 1), (1, 2), (0, 2)):
            assert not np.allclose(answers[one], answers[other], rtol=1e-2), (one, other)


@pytest.mark.slow
def test_both_networks_of_an_acgan_want_generated_images_named_right():
    from genkit.builtin.models.acgan import ACGAN
    from genkit.builtin.models.gan_configs import ACGANConfig

    labels = genkit.Field((), "int64", "label", classes=("a", "b", "c"))
    schema = genkit.Schema({**SCHEMA.fields, "label": labels})
    losses = {}
    for weight in (0.0, 1.0):
        keras.utils.set_random_seed(0)
        model = ACGAN(ACGANConfig(width=4, latent_dim=4, class_weight=weight), schema)
        noise = model.training_noise(training_rng(0, 0), 6)
        data = {"image": IMAGES[:6], "label": np.array([0, 1, 2, 0, 1, 2]), **noise}
        batch = {k: ops.convert_to_tensor(v) for k, v in data.items()}
        losses[weight] = [
            number(f(batch)) for f in (model.discriminator_loss, model.generator_loss)
        ]
    named = np.array(losses[1.0]) - np.array(losses[0.0])
    # Nothing is learned yet, so a class' logarithm is about log 3: of real and of generated images.
    np.testing.assert_allclose(named, [2 * np.log(3), np.log(3)], rtol=0.1)


def test_an_unknown_augmentation_is_refused():
    with pytest.raises(UsageError, match=r"cutout; received blur"):
        vector_gan(augment=["blur"])


@pytest.mark.slow
@pytest.mark.parametrize("units", [0, 32])
def test_a_hidden_layer_lets_the_discriminator_see_the_whole_image(units):
    """Without it the score is a sum over parts: what is in one corner changes no other's share."""
    from genkit.builtin.models.dcgan import build_discriminator

    config = DCGANConfig(width=4, dropout=0, discriminator_hidden=units)
    discriminator = build_discriminator((28, 28, 1), config)
    rng = np.random.default_rng(0)
    discriminator.set_weights([rng.standard_normal(w.shape) for w in discriminator.get_weights()])
    images = np.zeros((4, 28, 28, 1), np.float32)
    images[1::2, :4, :4] = 1
    images[2:, -4:, -4:] = 1
    nothing, first, second, both = ops.convert_to_numpy(discriminator(images))[:, 0]
    together = abs(both - first - second + nothing) / abs(both)
    assert (together > 1e-2) == bool(units)


def test_batch_normalisation_stands_after_all_layers_of_the_discriminator_but_the_first():
    from genkit.builtin.models.dcgan import build_discriminator

    settings = {"width": 4, "discriminator_hidden": 8}
    kinds = {}
    for asked in (False, True):
        config = DCGANConfig(**settings, discriminator_batch_norm=asked)
        layers_of = build_discriminator((8, 8, 1), config).layers
        names = [type(layer).__name__ for layer in layers_of]
        kinds[asked] = [name for name in names if name != "Dropout"]
    first, rest = ["Conv2D", "LeakyReLU"], ["BatchNormalization", "LeakyReLU"]
    expected = [*first, "Conv2D", *rest, "Flatten", "Dense", *rest, "Dense"]
    assert kinds[True] == expected
    assert kinds[False] == [name for name in expected if name != "BatchNormalization"]


def test_the_discriminator_may_have_a_rate_of_its_own():
    from genkit.builtin.models.dcgan import DCGAN

    rates = {"learning_rate": 1e-3, "discriminator_learning_rate": 4e-3}
    for settings, expected in ((rates, (4e-3, 1e-3)), ({"learning_rate": 1e-3}, (1e-3, 1e-3))):
        model = DCGAN(DCGANConfig(width=4, latent_dim=4, **settings), SCHEMA)
        found = [float(o.learning_rate) for o in model.optimizers.values()]
        assert found == pytest.approx(expected)
