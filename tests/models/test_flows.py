"""Flow matching and diffusion: what the network is taught, and the way from noise to images."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.builtin.models.ddpm import DDPM, signal_shares
from genkit.builtin.models.flow_configs import DDPMConfig, FlowMatchingConfig
from genkit.builtin.models.flow_matching import FlowMatching
from genkit.builtin.models.unet import build_unet
from genkit.data import training_rng

pytestmark = [
    pytest.mark.usefixtures("active_backend", "compiled_fast"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

IMAGE = genkit.Field((8, 8, 1), "uint8", "image", (0, 255))
LABELLED = genkit.Schema(
    {"image": IMAGE, "label": genkit.Field((), "int32", "label", classes=("cat", "dog", "owl"))}
)
RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal((6, 8, 8, 1), np.float32)
CLEAN = RNG.uniform(-1, 1, (6, 8, 8, 1)).astype("float32")


def flow(**settings):
    return FlowMatching(FlowMatchingConfig(width=8, blocks=1, **settings), LABELLED)


def ddpm(**settings):
    return DDPM(DDPMConfig(width=8, blocks=1, **settings), LABELLED)


def numbers(tensor):
    return ops.convert_to_numpy(tensor)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shape", "patch"), [((8, 8, 1), 2), ((12, 20, 3), 2), ((28, 28, 1), 1), ((16, 16, 3), 4)]
)
@pytest.mark.parametrize("classes", [0, 3])
def test_the_network_gives_images_that_are_zero_at_first(shape, patch, classes):
    config = FlowMatchingConfig(width=8, blocks=1, patch=patch)
    network = build_unet(shape, config, classes)
    inputs = [np.ones((2, *shape), "float32"), np.array([0.0, 0.9], "float32")]
    inputs += [np.array([0, classes], "int32")] if classes else []
    outputs = numbers(network(inputs))
    assert outputs.shape == (2, *shape)
    assert (outputs == 0).all()


def test_a_patch_s_pixels_come_back_to_their_places():
    """A 1x1 network of patches that copies its input would be the identity."""
    from genkit.builtin.models.unet import _unpatched

    channels = np.arange(1 * 2 * 3 * 8, dtype=np.float32).reshape(1, 2, 3, 8)

    x = keras.Input((2, 3, 8))
    network = keras.Model(x, _unpatched(x, 2, 2))
    kernel = np.zeros((3, 3, 8, 8), "float32")
    kernel[1, 1] = np.eye(8)
    network.set_weights([kernel, np.zeros(8, "float32")])
    found = numbers(network(channels))
    expected = channels.reshape(1, 2, 3, 2, 2, 2).transpose(0, 1, 3, 2, 4, 5).reshape(1, 4, 6, 2)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
def test_flow_matching_teaches_the_velocity_of_a_straight_line():
    time = RNG.random((6, 1, 1, 1), np.float32)
    inputs = map(ops.convert_to_tensor, (CLEAN, NOISE, time))
    seen, wanted = (numbers(t) for t in flow().noised(*inputs))
    np.testing.assert_allclose(seen, NOISE + time * (CLEAN - NOISE), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(wanted, CLEAN - NOISE, rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 10])
def test_following_the_velocity_of_a_straight_line_arrives(steps):
    model = flow(sampling_steps=steps)
    x, velocity = ops.convert_to_tensor(NOISE), ops.convert_to_tensor(CLEAN - NOISE)
    for step in range(steps):
        x = model.sampling_step(x, ops.convert_to_tensor(step), steps, lambda _, __: velocity)
    np.testing.assert_allclose(numbers(x), CLEAN, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "expected"),
    [(flow, [0, 0.25, 0.5, 0.75]), (lambda: ddpm(noise_steps=10), [0.95, 0.65, 0.35, 0.05])],
)
def test_the_network_is_asked_at_the_time_where_the_way_has_got_to(make, expected):
    model, asked = make(), []

    def answer(x, time):
        asked.append(float(numbers(time)))
        return x

    for step in range(4):
        model.sampling_step(ops.convert_to_tensor(NOISE), ops.convert_to_tensor(step), 4, answer)
    assert asked == pytest.approx(expected)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_noise_grows_from_hardly_any_to_nearly_all(schedule):
    shares = signal_shares(1000, schedule)
    assert shares[0] > 0.99
    assert shares[-1] < 1e-3
    assert (np.diff(shares) < 0).all()
    assert (shares > 0).all()


def test_the_linear_schedule_is_the_published_one():
    expected = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    np.testing.assert_allclose(signal_shares(1000, "linear"), expected, rtol=1e-5)


@pytest.mark.parametrize("answer", ["noise", "velocity"])
def test_diffusion_teaches_the_noise_at_each_step(answer):
    model = ddpm(answer=answer)
    time = np.array([0, 0.1234, 0.5, 0.75, 0.9, 0.9999], np.float32).reshape(6, 1, 1, 1)
    inputs = map(ops.convert_to_tensor, (CLEAN, NOISE, time))
    seen, wanted = (numbers(t) for t in model.noised(*inputs))
    share = model.signal[np.floor(time * 1000).astype(int)]
    expected = np.sqrt(share) * CLEAN + np.sqrt(1 - share) * NOISE
    np.testing.assert_allclose(seen, expected, rtol=1e-4, atol=1e-5)
    velocity = np.sqrt(share) * NOISE - np.sqrt(1 - share) * CLEAN
    np.testing.assert_allclose(
        wanted, {"noise": NOISE, "velocity": velocity}[answer], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize("steps", [1, 4, 50])
def test_who_knows_the_noise_finds_the_image_in_any_number_of_steps(steps):
    model = ddpm(sampling_steps=steps)
    first, noise = model.signal[-1], ops.convert_to_tensor(NOISE)
    x = ops.convert_to_tensor(np.sqrt(first) * CLEAN + np.sqrt(1 - first) * NOISE)
    for step in range(steps):
        x = model.sampling_step(x, ops.convert_to_tensor(step), steps, lambda _, __: noise)
    np.testing.assert_allclose(numbers(x), CLEAN, atol=2e-2)


@pytest.mark.parametrize("steps", [1, 4, 50])
def test_who_knows_the_velocity_finds_the_image_in_any_number_of_steps(steps):
    model = ddpm(sampling_steps=steps, answer="velocity")

    def known(x, time):
        share = model.signal[int(numbers(time) * 1000)]
        noise = (numbers(x) - np.sqrt(share) * CLEAN) / np.sqrt(1 - share)
        return ops.convert_to_tensor(np.sqrt(share) * noise - np.sqrt(1 - share) * CLEAN)

    x = ops.convert_to_tensor(NOISE)
    for step in range(steps):
        x = model.sampling_step(x, ops.convert_to_tensor(step), steps, known)
    np.testing.assert_allclose(numbers(x), CLEAN, atol=1e-4)


def teach(network):
    """Return a network weights with which its answer depends on all it sees."""
    rng = np.random.default_rng(1)
    network.set_weights([0.2 * rng.standard_normal(w.shape) for w in network.get_weights()])


@pytest.mark.slow
def test_guidance_goes_from_no_label_through_the_label_and_beyond():
    answers = {}
    label = ops.convert_to_tensor(np.array([0, 1, 2, 0, 1, 2], "int32"))
    for guidance in (0.0, 1.0, 3.0):
        model = flow(conditional=True, guidance=guidance)
        teach(model.network)
        answers[guidance] = numbers(
            model._answer(ops.convert_to_tensor(NOISE), 0.3, label, guidance)
        )
        none = model.no_label * ops.ones_like(label)
        without = numbers(model.network([ops.convert_to_tensor(NOISE), 0.3 * ops.ones(6), none]))
    np.testing.assert_allclose(answers[0.0], without, rtol=1e-3, atol=1e-4)
    beyond = answers[0.0] + 3 * (answers[1.0] - answers[0.0])
    np.testing.assert_allclose(answers[3.0], beyond, rtol=1e-3, atol=1e-3)
    assert np.abs(answers[1.0] - answers[0.0]).max() > 1e-3


@pytest.mark.slow
def test_labels_are_hidden_as_often_as_asked():
    model = flow(conditional=True, label_dropout=0.25)
    noise = model.training_noise(training_rng(0, 0), 4000)
    assert (noise["hide"] < 0.25).mean() == pytest.approx(0.25, abs=0.03)
    shown = []
    network = model.network

    def watched(inputs, training):
        shown.append(numbers(inputs[2]))
        return network(inputs, training=training)

    model.network = None
    model.__dict__["network"] = watched
    images = np.zeros((4000, 8, 8, 1), np.uint8)
    batch = {"image": images, "label": np.arange(4000, dtype=np.int32) % 3, **noise}
    model.loss({name: ops.convert_to_tensor(array) for name, array in batch.items()})
    hidden = shown[0] == model.no_label
    np.testing.assert_array_equal(hidden, noise["hide"] < 0.25)
    np.testing.assert_array_equal(shown[0][~hidden], batch["label"][~hidden])


@pytest.mark.slow
@pytest.mark.parametrize("make", [flow, ddpm])
def test_a_conditional_model_generates_by_label(make):
    model = make(conditional=True, sampling_steps=3)
    teach(model.network)
    owls = model.generate(5, seed=1, label="owl")
    np.testing.assert_array_equal(owls[:2], model.generate(2, seed=1, label=2))
    assert not np.array_equal(owls, model.generate(5, seed=1, label="cat"))
    assert (owls >= 0).all()
    assert (owls <= 255).all()
