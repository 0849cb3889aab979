"""Parts of the GAN family: losses of pairs, penalties at an interval, averages by half-life."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import genkit
from genkit.builtin.models.acgan import ACGAN
from genkit.builtin.models.dcgan import DCGAN
from genkit.builtin.models.gan_configs import ACGANConfig, DCGANConfig
from genkit.engine.state import ModelState
from genkit.errors import UsageError
from genkit.models.averages import Averages
from tests.models.test_gans import IMAGES, SCHEMA, batch_of, number, vector_gan

pytestmark = [
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

VECTORS = np.random.default_rng(0).uniform(-1, 1, (60, 2)).astype("float32")


def arrays_of(network):
    return {v.path: np.array(ops.convert_to_numpy(v.value)) for v in network.variables}


def test_both_players_of_a_relativistic_gan_compare_pairs():
    model = vector_gan(loss="relativistic")
    batch = batch_of(model)
    fake = model.generator(batch["z"])
    real_scores, fake_scores = (
        ops.convert_to_numpy(model.discriminator(x)) for x in (batch["vector"], fake)
    )
    for loss, difference in (
        (model.discriminator_loss, real_scores - fake_scores),
        (model.generator_loss, fake_scores - real_scores),
    ):
        assert number(loss(batch)) == pytest.approx(np.log1p(np.exp(-difference)).mean(), rel=1e-5)


@pytest.mark.slow
def test_a_relativistic_acgan_compares_pairs_and_names_classes():
    labels = genkit.Field((), "int64", "label", classes=("a", "b", "c"))
    schema = genkit.Schema({**SCHEMA.fields, "label": labels})
    model = ACGAN(ACGANConfig(width=4, latent_dim=4, loss="relativistic"), schema)
    data = {"image": IMAGES, "label": np.arange(64) % 3}
    history = model.fit(data, steps=2, batch_size=16, verbose=False).history
    # Nothing is learned yet: log 2 for a coin, log 3 for a class.
    assert history["g_loss"][0] == pytest.approx(np.log(2) + np.log(3), rel=0.2)


@pytest.mark.slow
def test_penalties_at_an_interval_are_updates_of_their_own_weighing_as_much():
    model, each_step = vector_gan(r1=2.0, r2=1.0, penalty_interval=4), vector_gan(r1=2.0, r2=1.0)
    for ours, theirs in zip(model.variables, each_step.variables, strict=True):
        ours.assign(theirs)
    batch = batch_of(model)
    plain = number(model.discriminator_loss(batch))
    norm = np.linalg.norm(ops.convert_to_numpy(model.discriminator.layers[-1].kernel))
    penalty = number(model.penalty_loss(batch))
    assert penalty == pytest.approx(4 * 3 * norm**2 / 2, rel=1e-4)
    assert plain + penalty / 4 == pytest.approx(number(each_step.discriminator_loss(batch)))
    model.fit(VECTORS, steps=6, batch_size=5, verbose=False)
    updates = {k: int(o.iterations) for k, o in model.optimizers.items()}
    assert updates == {"discriminator": 6 + 2, "generator": 6}  # before steps 1 and 5


def test_adam_learns_and_forgets_as_much_with_penalties_at_an_interval():
    config = DCGANConfig(width=4, latent_dim=4, r1=1.0, penalty_interval=16, beta_2=0.99)
    model = DCGAN(config, SCHEMA)
    share = 16 / 17
    for name, expected in (
        ("discriminator", (share * 2e-4, 0.5**share, 0.99**share)),
        ("generator", (2e-4, 0.5, 0.99)),
    ):
        optimizer = model.optimizers[name]
        found = float(optimizer.learning_rate), optimizer.beta_1, optimizer.beta_2
        assert found == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("settings", [{"penalty_interval": 0, "r1": 1.0}, {"penalty_interval": 4}])
def test_an_interval_of_nothing_is_refused(settings):
    with pytest.raises(UsageError, match="received"):
        vector_gan(**settings)


def test_a_half_life_is_a_share_of_the_items_seen_until_these_are_enough():
    averages = Averages([], half_life=1000, ramp=0.05)
    assert averages.kept(0, 10) == 0.0
    assert averages.kept(100, 10) == pytest.approx(0.5 ** (10 / 50))
    assert averages.kept(5000, 10) == pytest.approx(0.5 ** (10 / 1000))
    assert Averages([], half_life=1000, ramp=0).kept(0, 10) == pytest.approx(0.5 ** (10 / 1000))


@pytest.mark.slow
def test_averages_by_half_life_hold_weights_and_statistics():
    config = DCGANConfig(width=4, latent_dim=4, generator_average_images=20, learning_rate=0.02)
    model = DCGAN(config, SCHEMA)
    model.weight_averages["generator"].ramp = 0.5
    seen = []
    each = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda *_: seen.append(arrays_of(model.generator))
    )
    model.fit(IMAGES, steps=5, batch_size=16, callbacks=[each], verbose=False)
    averages, raw = arrays_of(model.generator), seen[-1]
    moved = [path for path in raw if not np.allclose(raw[path], averages[path], atol=1e-6)]
    assert any("moving_mean" in path for path in moved)
    assert any("kernel" in path for path in moved)
    expected = seen[0]
    for step, weights in enumerate(seen[1:], start=1):
        kept = 0.5 ** (16 / min(20, 0.5 * 16 * step))
        expected = {p: kept * expected[p] + (1 - kept) * w for p, w in weights.items()}
    for path, value in expected.items():
        np.testing.assert_allclose(averages[path], value, rtol=1e-4, atol=1e-6, err_msg=path)


@pytest.mark.slow
def test_averages_are_part_of_what_is_saved_and_stand_aside_outside_their_block():
    config = DCGANConfig(width=4, latent_dim=4, generator_average_images=500)
    model, other = DCGAN(config, SCHEMA), DCGAN(config, SCHEMA)
    model.fit(IMAGES, steps=2, batch_size=16, verbose=False)
    weights, training = ModelState(model).read()
    assert {key for key in training if key.startswith("averages/")} == {
        f"averages/{key}" for key in weights if key.startswith("generator/")
    }
    ModelState(other).load_weights(weights)
    ModelState(other).load_training({
        key: value + 1 if key.startswith("averages/") else value
        for key, value in training.items()
    })  # fmt: skip
    before = arrays_of(other.generator)
    with other.averaged_weights():
        inside = arrays_of(other.generator)
    after = arrays_of(other.generator)
    for path, value in before.items():
        np.testing.assert_array_equal(after[path], value)
        assert not np.array_equal(inside[path], value), path


def test_weights_are_averaged_in_one_way():
    networks = [keras.Sequential([keras.Input((2,)), layers.Dense(1)]) for _ in range(2)]
    model = genkit.Model()
    model.add_optimizer("a", keras.optimizers.Adam(use_ema=True), networks[0])
    model.add_optimizer("b", keras.optimizers.Adam(), networks[1])
    model.add_averages("b", 100)
    for name in ("a", "b"):
        with pytest.raises(UsageError, match="averaged already"):
            model.add_averages(name, 100)
    with pytest.raises(UsageError, match="received 0"):
        Averages([], 0, 0.05)
