"""The vector-quantised autoencoder: its codebook, its prior, and what it generates."""

import random

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit import engine
from genkit.builtin.datasets.digits import DigitsConfig, open_digits
from genkit.builtin.models.vq_vae import VQVAE, perplexity
from genkit.builtin.models.vq_vae_configs import VQVAEConfig
from genkit.data import noise_for_step
from genkit.errors import DataError
from genkit.layers import VectorQuantizer
from tests.engine.small import changed, read, stepper
from tests.layers.differentiation import gradient

pytestmark = [
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

SIZE, DIMENSION = 6, 3
SMALL = {"width": 8, "latent_dim": 4, "codebook_size": 16, "prior_width": 32, "prior_layers": 1}


def quantizer(**settings):
    """A layer whose codebook is spread like the vectors below."""
    layer = VectorQuantizer(SIZE, **settings)
    layer.build((None, DIMENSION))
    codebook = np.random.default_rng(1).standard_normal((SIZE, DIMENSION)).astype("float32")
    for variable in (layer.codebook, layer.sums):
        variable.assign(codebook)
    return layer


def vectors(*shape):
    return np.random.default_rng(2).standard_normal((*shape, DIMENSION)).astype("float32")


def numpy_step(z, codebook, counts, sums, *, decay, epsilon):
    """Appendix A.1, with the smoothing of the counts; float64."""
    nearest = np.argmin(((z[:, None] - codebook[None]) ** 2).sum(-1), axis=1)
    taken = np.eye(len(codebook))[nearest]
    counts = decay * counts + (1 - decay) * taken.sum(0)
    sums = decay * sums + (1 - decay) * taken.T @ z
    smoothed = (counts + epsilon) / (counts.sum() + len(counts) * epsilon) * counts.sum()
    return nearest, sums / smoothed[:, None], counts, sums


def state(layer):
    return [np.array(ops.convert_to_numpy(v)) for v in (layer.codebook, layer.counts, layer.sums)]


def small(size=8, **settings):
    image = genkit.Field((size, size, 1), "uint8", "image", (0, 255))
    return VQVAE(VQVAEConfig(**{**SMALL, **settings}), genkit.Schema({"image": image}))


def prior_of(model):
    """The prior's logits, compiled: arrays in, arrays out."""
    return engine.create(model).compile_inference(model.prior)


@pytest.fixture(scope="module")
def digits():
    return open_digits(DigitsConfig(split="all"))


def test_outputs_are_the_nearest_vectors_and_codes_say_which():
    layer, z = quantizer(), vectors(4, 2, 5)
    outputs, codes = map(ops.convert_to_numpy, layer(ops.convert_to_tensor(z)))
    codebook = ops.convert_to_numpy(layer.codebook)
    expected = np.argmin(((z[..., None, :] - codebook) ** 2).sum(-1), axis=-1)
    np.testing.assert_array_equal(codes, expected)
    assert codes.dtype == np.int32
    np.testing.assert_allclose(outputs, codebook[expected], rtol=1e-5, atol=1e-6)
    assert len(np.unique(codes)) > 1


def test_the_gradient_goes_through_as_it_is():
    layer, z = quantizer(), ops.convert_to_tensor(vectors(7))
    weights = ops.convert_to_tensor(vectors(14)[7:])
    (found,) = gradient(lambda z: ops.sum(layer(z, training=False)[0] * weights))(z)
    np.testing.assert_array_equal(ops.convert_to_numpy(found), ops.convert_to_numpy(weights))


def test_the_codebook_follows_the_vectors_that_took_it():
    layer, z = quantizer(decay=0.8, epsilon=0.1), vectors(40)
    expected = state(layer)
    for _ in range(3):
        codes, *expected = numpy_step(z.astype("float64"), *expected, decay=0.8, epsilon=0.1)
        _, found = layer(ops.convert_to_tensor(z), training=True)
        np.testing.assert_array_equal(ops.convert_to_numpy(found), codes)
        for ours, theirs in zip(state(layer), expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)


def test_dead_codes_begin_anew_on_the_vectors_that_win_the_lottery():
    layer, z = quantizer(decay=0.9, epsilon=0.0), vectors(10)
    counts = np.array([5, 1, 5, 1, 5, 5], "float32")
    codebook = ops.convert_to_numpy(layer.codebook).copy()
    codebook[[1, 3]] = 100  # nobody takes them
    layer.codebook.assign(codebook)
    layer.sums.assign(codebook * counts[:, None])
    layer.counts.assign(counts)
    lottery = np.full(10, 0.5, "float32")
    lottery[[8, 2, 9, 4]] = 0.0, 0.1, 0.2, 0.3  # the winners of codes 0, 1, 2 and 3
    layer(ops.convert_to_tensor(z), lottery=ops.convert_to_tensor(lottery), training=True)
    moved, counts, sums = state(layer)
    for code, winner in ((1, 2), (3, 4)):
        np.testing.assert_allclose(moved[code], z[winner], rtol=1e-6)
        np.testing.assert_allclose(sums[code], z[winner], rtol=1e-6)
        assert counts[code] == 1
    alive = [0, 2, 4, 5]
    np.testing.assert_allclose(moved[alive], codebook[alive], atol=2)
    assert (counts[alive] > 4).all()


@pytest.mark.parametrize(
    ("settings", "given"), [({"revival_threshold": 0.0}, True), ({}, False)], ids=["off", "none"]
)
def test_no_code_is_revived_without_threshold_or_lottery(settings, given):
    layer, z = quantizer(decay=0.5, **settings), vectors(2)
    lottery = ops.convert_to_tensor(np.zeros(2, "float32")) if given else None
    for _ in range(5):
        layer(ops.convert_to_tensor(z), lottery=lottery, training=True)
    assert state(layer)[1].min() < 0.1


def test_fewer_vectors_than_dead_codes_revive_them_all():
    layer, z = quantizer(), vectors(2)
    layer(ops.convert_to_tensor(z), lottery=ops.zeros(2), training=True)
    distances = ((state(layer)[0][:, None] - z) ** 2).sum(-1)
    assert (distances.min(axis=1) < 1e-6).sum() >= SIZE - 2


@pytest.mark.parametrize("frozen", [False, True])
def test_inference_and_a_frozen_layer_change_nothing(frozen):
    layer = quantizer()
    before = state(layer)
    layer.trainable = not frozen
    layer(ops.convert_to_tensor(vectors(4)), lottery=ops.zeros(4), training=frozen)
    for old, new in zip(before, state(layer), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_layer_is_made_again_from_its_config():
    layer = VectorQuantizer(5, decay=0.5, epsilon=0.1, revival_threshold=2.0)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert twin.get_config() == layer.get_config()
    with pytest.raises(ValueError, match=r"decay in \[0, 1\); received 5, 1"):
        VectorQuantizer(5, decay=1)


def test_perplexity_counts_codes_that_are_used_alike():
    codes = ops.convert_to_tensor(np.array([[0, 1], [2, 5]], "int32"))
    assert float(perplexity(codes, 8)) == pytest.approx(4, rel=1e-5)
    assert float(perplexity(ops.zeros_like(codes), 8)) == pytest.approx(1, rel=1e-5)


@pytest.mark.slow
def test_a_later_code_changes_no_earlier_logit():
    model = small()
    prior = prior_of(model)
    codes = np.random.default_rng(0).integers(0, 16, (3, 4)).astype("int32")
    logits = prior(codes=codes)
    assert logits.shape == (3, 4, 16)
    for place in range(4):
        other = codes.copy()
        other[:, place] = (other[:, place] + 1) % 16
        changed_logits = prior(codes=other)
        np.testing.assert_array_equal(changed_logits[:, : place + 1], logits[:, : place + 1])
        later = np.abs(changed_logits - logits)[:, place + 1 :].max(axis=-1)
        assert (later > 1e-6).all()


@pytest.mark.slow
def test_drawing_all_codes_in_rounds_is_drawing_one_after_the_other():
    model = small()
    prior, gumbel = prior_of(model), model.noise(np.random.default_rng(0), 5)["gumbel"]
    codes = np.zeros((5, 4), "int32")
    for place in range(4):
        codes[:, place] = (prior(codes=codes) + gumbel)[:, place].argmax(-1)
    drawn = ops.convert_to_numpy(model.draw_codes(ops.convert_to_tensor(gumbel)))
    np.testing.assert_array_equal(drawn.reshape(5, 4), codes)
    assert drawn.dtype == np.int32
    assert len(np.unique(codes)) > 4


@pytest.mark.slow
def test_codes_are_drawn_as_often_as_the_prior_says():
    model = small(codebook_size=3)
    gumbel = model.noise(np.random.default_rng(0), 20_000)["gumbel"]
    first = ops.convert_to_numpy(model.draw_codes(ops.convert_to_tensor(gumbel)))[:, 0, 0]
    logits = prior_of(model)(codes=np.zeros((1, 4), "int32"))[0, 0]
    expected = np.exp(logits) / np.exp(logits).sum()
    np.testing.assert_allclose(np.bincount(first, minlength=3) / 20_000, expected, atol=0.015)


@pytest.mark.slow
def test_the_prior_knows_nothing_better_than_chance_at_first_and_counts_in_nats():
    model = small()
    for variable in model.prior.head.weights:
        variable.assign(np.zeros(variable.shape))
    loss = model.prior_loss(ops.zeros((3, 2, 2), "int32"))
    assert float(ops.convert_to_numpy(loss)) == pytest.approx(4 * np.log(16), rel=1e-5)


@pytest.mark.slow
def test_codes_and_reconstructions_have_their_shapes_and_ranges():
    model = small(12)
    images = np.random.default_rng(0).integers(0, 256, (70, 12, 12, 1)).astype("uint8")
    codes = model.encode(images)
    assert codes.shape == (70, 3, 3)
    assert codes.dtype == np.int32
    assert 0 <= codes.min() < codes.max() < 16
    reconstructed = model.reconstruct(images)
    np.testing.assert_array_equal(reconstructed, model.map_items("from_latent", latent=codes))
    assert reconstructed.shape == images.shape
    assert reconstructed.min() >= 0
    assert reconstructed.max() <= 255
    with pytest.raises(DataError, match=r"multiples of 4; received 10x10"):
        small(10)


@pytest.mark.slow
def test_the_lottery_is_all_that_training_draws():
    model = small(12)
    noise = model.training_noise(np.random.default_rng(0), 5)
    assert {name: array.shape for name, array in noise.items()} == {"lottery": (5, 3, 3)}
    assert model.noise(np.random.default_rng(0), 5)["gumbel"].shape == (5, 9, 16)


@pytest.mark.slow
def test_sixty_steps_lower_both_losses_and_using_the_model_changes_nothing(digits):
    random.seed(0)  # Keras draws from it; at first the prior's loss goes up and down
    model, rows = VQVAE(VQVAEConfig(**SMALL), digits.schema), []
    keep = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: rows.append(logs))
    model.fit(digits, steps=60, batch_size=64, callbacks=[keep], verbose=False)
    columns = {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}
    assert list(columns) == [
        "loss", "reconstruction_loss", "commitment_loss", "perplexity", "prior_loss",
    ]  # fmt: skip
    for name, column in columns.items():
        assert np.isfinite(column).all(), name
    for name, share in (("loss", 0.6), ("reconstruction_loss", 0.6), ("prior_loss", 0.9)):
        assert columns[name][-5:].mean() < share * columns[name][:5].mean(), name
    assert columns["perplexity"][-1] > 4

    trained = engine.create(model)
    before = read(trained)
    many = model.generate(70, seed=3)
    np.testing.assert_array_equal(model.generate(10, seed=3), many[:10])
    assert not np.array_equal(model.generate(10, seed=4), many[:10])
    assert len(np.unique(many.reshape(70, -1), axis=0)) > 35
    items = digits.gather(np.arange(5))["image"]
    model.reconstruct(items)
    model.encode(items)
    assert changed(before, read(trained)) == set()


def batch_of(model, digits, step=0):
    batch = {"image": digits.gather(np.arange(32) + 32 * step)["image"]}
    return {**batch, **noise_for_step(model.training_noise, 0, step, 32)}


@pytest.mark.slow
def test_the_prior_learns_from_codes_and_moves_nothing_but_itself(digits):
    model = VQVAE(VQVAEConfig(**SMALL), digits.schema)
    batch = batch_of(model, digits)
    trained, run = stepper(model)
    start = trained.state.read()
    before = read(trained)
    run(batch)
    with_prior = read(trained)
    parts = {key.split("/")[0] for key in changed(before, with_prior)}
    assert parts == {"encoder", "decoder", "quantizer", "prior", "optimizers"}

    trained.state.load_weights(start[0])
    trained.state.load_training(start[1])
    without_prior, run = stepper(model, names=["autoencoder"])
    run(batch)
    different = changed(with_prior, read(without_prior))
    assert different
    assert all(key.startswith(("prior/", "optimizers/prior/")) for key in different)


@pytest.mark.slow
def test_the_compiled_step_s_losses_are_those_of_numpy(digits):
    model = VQVAE(VQVAEConfig(**SMALL), digits.schema)
    batch = batch_of(model, digits)
    x = batch["image"].astype("float64") / 16
    z = ops.convert_to_numpy(model.encoder(ops.convert_to_tensor(x.astype("float32"))))
    codebook = ops.convert_to_numpy(model.quantizer.codebook)
    codes = np.argmin(((z[..., None, :] - codebook) ** 2).sum(-1), axis=-1)
    quantized = codebook[codes]
    outputs = ops.convert_to_numpy(model.decoder(ops.convert_to_tensor(quantized)))
    logits = ops.convert_to_numpy(model.prior(ops.convert_to_tensor(codes.reshape(32, 4), "int32")))
    normalised = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    taken = np.take_along_axis(normalised, codes.reshape(32, 4, 1), -1)
    shares = np.bincount(codes.ravel(), minlength=16) / codes.size
    shares = shares[shares > 0]
    expected = {
        "reconstruction_loss": np.mean((x - outputs) ** 2) / 0.095,
        "commitment_loss": np.mean((z - quantized) ** 2),
        "perplexity": np.exp(-(shares * np.log(shares)).sum()),
        "prior_loss": -taken.sum(axis=(1, 2)).mean(),
    }
    expected["loss"] = expected["reconstruction_loss"] + 0.25 * expected["commitment_loss"]
    _, run = stepper(model)
    assert run(batch) == pytest.approx(expected, rel=1e-4)
