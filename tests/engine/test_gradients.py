"""Input gradients, second order, and per-example gradients."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit import engine
from genkit.errors import UsageError
from tests.engine.small import batch_for, changed, mlp_gan, read, stepper

pytestmark = pytest.mark.usefixtures("active_backend")


def numpy(x):
    return np.array(keras.ops.convert_to_numpy(x))


def smooth_network(features=4):
    return keras.Sequential(
        [
            keras.Input((features,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(1),
        ]
    )


def test_input_gradient_equals_finite_differences():
    network = smooth_network()
    x = np.random.default_rng(0).standard_normal((3, 4)).astype("float32")
    gradient = numpy(genkit.gradient(network, ops.convert_to_tensor(x)))
    h = 1e-2
    for item in range(3):
        for feature in range(4):
            up, down = x.copy(), x.copy()
            up[item, feature] += h
            down[item, feature] -= h
            difference = float(numpy(ops.sum(network(up) - network(down)))) / (2 * h)
            assert gradient[item, feature] == pytest.approx(difference, abs=2e-3)


class Penalised(genkit.GAN):
    """A critic whose loss is nothing but a gradient penalty."""

    def discriminator_loss(self, batch):
        gradient = genkit.gradient(lambda x: self.discriminator(x, training=True), batch["vector"])
        norm = ops.sqrt(ops.sum(ops.square(gradient), axis=1) + 1e-12)
        return ops.mean(ops.square(norm - 1))

    def training_step(self, batch, minimize):
        loss, _ = minimize("discriminator", self.discriminator_loss, batch)
        return {"penalty": loss}


def penalised(discriminator, rate=0.1):
    model = mlp_gan()
    return Penalised(
        model.generator,
        discriminator,
        schema=model.schema,
        discriminator_optimizer=keras.optimizers.SGD(rate),
    )


def test_a_gradient_penalty_is_differentiated_to_second_order():
    """The weights move by minus the rate times what finite differences of the penalty give."""
    model = penalised(smooth_network())
    _, run = stepper(model)
    kernel = model.discriminator.layers[0].kernel
    start = numpy(kernel.value)
    batch = batch_for(model)

    def penalty(value):
        kernel.assign(value)
        loss = float(
            numpy(model.discriminator_loss({"vector": ops.convert_to_tensor(batch["vector"])}))
        )
        kernel.assign(start)
        return loss

    h, expected = 1e-2, np.zeros_like(start)
    for index in np.ndindex(*start.shape):
        nudge = np.zeros_like(start)
        nudge[index] = h
        expected[index] = (penalty(start + nudge) - penalty(start - nudge)) / (2 * h)
    run(batch)
    assert np.abs(expected).max() > 1e-2, "the penalty must depend on the kernel"
    np.testing.assert_allclose((start - numpy(kernel.value)) / 0.1, expected, atol=3e-3)


def test_a_gradient_penalty_lets_batch_statistics_and_seeds_move(active_backend):
    discriminator = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.5),
            keras.layers.LeakyReLU(),
            keras.layers.Dense(1),
        ]
    )
    model = penalised(discriminator)
    e, run = stepper(model)
    before = read(e)
    run(batch_for(model))
    moved = changed(before, read(e))
    assert "discriminator/layers/1/moving_mean" in moved
    if active_backend != "torch":
        assert "discriminator/layers/2/seed" in moved


@pytest.mark.slow
def test_the_input_gradient_outside_a_step_leaves_the_model_usable():
    model = mlp_gan()
    genkit.gradient(
        lambda x: model.discriminator(x, training=True),
        ops.convert_to_tensor(batch_for(model)["vector"]),
    )
    _, run = stepper(model)
    assert np.isfinite(run(batch_for(model))["d_loss"])


def per_example(model, batch, clip):
    e = engine.create(model)
    grabbed = {}

    def step(b):
        (loss, _), gradients = e.per_example_gradients(
            "discriminator", model.discriminator_loss, b, clip=clip
        )
        e.apply("discriminator", gradients)
        return {"loss": loss}

    names = [v.path for v in model.owned_variables("discriminator")]
    before = [numpy(v.value) for v in model.owned_variables("discriminator")]
    grabbed["loss"] = e.fetch(e.compile_step(step)(batch, ()))["loss"]
    after = [numpy(v.value) for v in model.owned_variables("discriminator")]
    return grabbed["loss"], dict(
        zip(names, [a - b for a, b in zip(before, after, strict=True)], strict=True)
    )


def private_model():
    return mlp_gan(batch_norm=False, dropout=0.0, optimizer=lambda: keras.optimizers.SGD(1.0))


def test_per_example_gradients_without_clipping_are_the_batch_gradient():
    model = private_model()
    batch = batch_for(model)
    weights, _ = engine.create(model).state.read()
    loss, gradients = per_example(model, batch, clip=1e6)
    engine.create(model).state.load_weights(weights)
    before = [numpy(v.value) for v in model.owned_variables("discriminator")]
    _, run = stepper(model, names=["discriminator"])
    assert run(batch)["d_loss"] == pytest.approx(loss, rel=1e-5)
    after = [numpy(v.value) for v in model.owned_variables("discriminator")]
    for per, b, a in zip(gradients.values(), before, after, strict=True):
        np.testing.assert_allclose(per, b - a, atol=1e-5)


def test_each_example_alone_is_clipped():
    """Against one example at a time through the plain gradient, clipped by hand."""
    model = private_model()
    batch = batch_for(model)
    weights, _ = engine.create(model).state.read()
    clip, expected = 0.05, None
    for index in range(len(batch["vector"])):
        one = {name: array[index : index + 1] for name, array in batch.items()}
        _, gradients = per_example(model, one, clip=1e6)
        engine.create(model).state.load_weights(weights)
        norm = np.sqrt(sum(np.square(g).sum() for g in gradients.values()))
        clipped = [g * min(1, clip / norm) / len(batch["vector"]) for g in gradients.values()]
        expected = (
            clipped if expected is None else [a + b for a, b in zip(expected, clipped, strict=True)]
        )
    _, found = per_example(model, batch, clip=clip)
    for per, want in zip(found.values(), expected, strict=True):
        np.testing.assert_allclose(per, want, atol=1e-6)


def test_per_example_gradients_refuse_batch_statistics():
    model = mlp_gan()
    e = engine.create(model)
    with pytest.raises(UsageError, match="BatchNormalization"):
        e.per_example_gradients("generator", model.generator_loss, batch_for(model), clip=1.0)


def test_a_loss_of_an_example_that_needs_other_weights_names_the_optimizer(active_backend):
    if active_backend == "jax":
        pytest.skip("JAX gives zeros and tells nothing")
    model = private_model()
    e = engine.create(model)
    with pytest.raises(UsageError, match="The loss given for 'discriminator' depends on none"):
        e.per_example_gradients(
            "discriminator", lambda b: ops.mean(model.generator(b["z"])), batch_for(model), clip=1.0
        )


def test_a_gradient_penalty_is_each_examples_own(active_backend, monkeypatch):
    if active_backend == "torch":  # without the slow way round
        monkeypatch.setattr("genkit.engine.torch._clipped_in_turn", None)
    model = penalised(smooth_network(), rate=1.0)
    batch = batch_for(model)
    weights, _ = engine.create(model).state.read()
    steps = []
    for rows in (slice(0, 1), slice(1, 2), slice(0, 2)):
        engine.create(model).state.load_weights(weights)
        some = {name: array[rows] for name, array in batch.items()}
        steps.append(per_example(model, some, clip=0.05)[1])
    first, second, both = steps
    for name, step in both.items():
        np.testing.assert_allclose(step, (first[name] + second[name]) / 2, atol=1e-6)
        assert np.abs(step).max() > 1e-4 or "bias" in name
