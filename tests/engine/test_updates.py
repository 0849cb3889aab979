"""Updates inside a compiled step against Keras' own, for all settings that models or papers use.

Two trainings from one start drift apart for a reason that is nobody's fault: without a first
moment, and with a small epsilon, Adam divides rounding by rounding where a gradient is tiny, and a
kink of an activation turns that into another gradient. So each update here is held to Keras' own
of the *same* gradients, as the step computed them; and what a loss is computed from must be what
the update before it has left.
"""

from collections import defaultdict

import keras
import numpy as np
import pytest
from keras import layers, ops

import genkit
from genkit import engine
from genkit.engine.steps import split_schedule
from genkit.layers import Conv2D
from genkit.losses import zero_centred_penalty

pytestmark = [
    pytest.mark.usefixtures("active_backend"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

STEPS = 200
RATE = 2e-3
TOLERANCE = 2e-6  # of 300 updates of about 2e-3 each

SETTINGS = {
    "default": lambda: keras.optimizers.Adam(RATE),
    "dcgan": lambda: keras.optimizers.Adam(RATE, beta_1=0.5),
    "wgan-gp": lambda: keras.optimizers.Adam(RATE, beta_1=0.0, beta_2=0.9),
    "stylegan": lambda: keras.optimizers.Adam(
        RATE, beta_1=0.0, beta_2=0.99, epsilon=1e-8, use_ema=True
    ),
    "language": lambda: keras.optimizers.AdamW(
        RATE, beta_2=0.95, weight_decay=0.1, global_clipnorm=1.0
    ),
    "clipped": lambda: keras.optimizers.AdamW(
        RATE, beta_1=0.5, epsilon=1e-8, clipvalue=0.01, use_ema=True, ema_momentum=0.9
    ),
}


def network():
    net = keras.Sequential(
        [
            keras.Input((4, 4, 2)),
            Conv2D(3, 3, padding="same", activation="tanh"),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    for variable in net.weights:
        variable.assign(np.random.default_rng(variable.ndim).normal(0, 0.3, variable.shape))
    return net


class Fitting(genkit.Model):
    """A network of each setting, fitted to a number; each fourth step makes two more updates."""

    def __init__(self):
        super().__init__(None, None)
        self.networks = [network() for _ in SETTINGS]
        for (name, optimizer), net in zip(SETTINGS.items(), self.networks, strict=True):
            self.add_optimizer(name, optimizer(), net)

    def schedule(self, step):
        return {"penalised": step % 4 == 0}

    def training_step(self, batch, minimize):
        for name, net in zip(SETTINGS, self.networks, strict=True):

            def error(batch, net=net):
                return ops.mean(ops.square(net(batch["image"])[:, 0] - batch["wanted"]))

            def slope(batch, net=net):
                return 0.1 * zero_centred_penalty(net, batch["image"])

            for loss in (error, slope, error) if batch["penalised"] else (error,):
                minimize(name, loss, batch)
        return {}


def step_with_notes(model):
    """Return a compiled step that tells what each update found, and the gradients it was given."""
    e = engine.create(model)

    def step(batch):
        rounds, notes = defaultdict(int), {}

        def minimize(name, fn, *inputs):
            found = [ops.convert_to_tensor(v) + 0.0 for v in model.owned_variables(name)]
            result, gradients = e.gradients(name, fn, *inputs)
            e.apply(name, gradients)
            for kind, values in (("found", found), ("gradient", gradients)):
                notes.update({(rounds[name], kind, name, i): v for i, v in enumerate(values)})
            rounds[name] += 1
            return result

        model.training_step(batch, minimize)
        return notes

    compiled = e.compile_step(step)

    def run(number, batch):
        """Return, for each round of updates, ``(found, gradients)`` by ``"<name> <place>"``."""
        static, _ = split_schedule(model.schedule(number))
        e.begin_step(0, number)
        rounds = defaultdict(lambda: ({}, {}))
        for (number_of_round, kind, name, i), value in compiled(batch, static).items():
            into = rounds[number_of_round][kind == "gradient"]
            into[f"{name} {i}"] = ops.convert_to_numpy(value)
        return [rounds[key] for key in sorted(rounds)]

    return run


def keras_own(monkeypatch):
    """Return a model whose optimizers update by Keras' own rule, and what applies gradients."""
    monkeypatch.setattr(type(engine.create(Fitting())), "_use_fused_update", lambda *_: None)
    model = Fitting()
    e = engine.create(model)

    def apply(gradients):
        for name in SETTINGS:
            count = len(model.owned_variables(name))
            e.apply(name, [gradients[f"{name} {i}"] for i in range(count)])
        return {}

    return model, e.compile_step(apply)


def weights(model):
    return {
        f"{name} {i}": ops.convert_to_numpy(variable.value)
        for name in SETTINGS
        for i, variable in enumerate(model.owned_variables(name))
    }


def averages(model):
    slots = {name: keras_averages(model.optimizers[name]) for name in SETTINGS}
    return {
        f"{name}, average {i}": ops.convert_to_numpy(variable.value)
        for name, variables in slots.items()
        for i, variable in enumerate(variables)
    }


def keras_averages(optimizer):
    return optimizer._model_variables_moving_average if optimizer.use_ema else []


def assert_same(found, expected, when):
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        np.testing.assert_allclose(
            found[key], value, rtol=1e-6, atol=TOLERANCE, err_msg=f"{key}, {when}"
        )


@pytest.mark.slow
def test_200_steps_of_all_settings_are_keras_own_to_rounding(monkeypatch):
    model = Fitting()
    run = step_with_notes(model)
    reference, apply = keras_own(monkeypatch)
    rng = np.random.default_rng(0)
    for number in range(STEPS):
        image = rng.standard_normal((8, 4, 4, 2), dtype="float32")
        batch = {"image": image, "wanted": image.mean((1, 2, 3)) * 4}
        for found, gradients in run(number, batch):
            assert_same(found, weights(reference), f"before an update of step {number}")
            apply(gradients)
    assert_same(weights(model), weights(reference), "at the end")
    assert averages(model)
    assert_same(averages(model), averages(reference), "at the end")
