"""Learning rates that know the run's length, and averages whose window fits it."""

import os
import signal

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.builtin.models.averaging import WindowedAdam
from genkit.errors import UsageError
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.plan.fitting import FitSettings
from genkit.runs.run import Run

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")
DATA = {"vector": np.random.default_rng(0).random((64, 3), np.float32)}


class Slope(genkit.Model):
    """A loss with one slope everywhere: each update moves the weights by the learning rate."""

    def __init__(self, optimizer):
        super().__init__()
        self.network = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, use_bias=False)])
        self.add_optimizer("network", optimizer, self.network)
        self.network.layers[0].kernel.assign(np.ones((3, 1)))

    def loss(self, vector):
        return ops.mean(self.network(ops.ones_like(vector)))

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.loss, batch["vector"])[0]}

    @property
    def weight(self):
        return float(ops.convert_to_numpy(self.network.layers[0].kernel.value)[0, 0])


class Weights(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seen = [self.model.weight]

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(self.model.weight)


def rates(optimizer=None, callbacks=(), **settings):
    """Return how far the weights have moved in each step."""
    model, weights = Slope(optimizer or keras.optimizers.SGD(0.5)), Weights()
    run = UnsavedRun(FitSettings(batch_size=16, **settings))
    genkit.Trainer().fit(model, genkit.data.as_source(DATA), run, [weights, *callbacks])
    return -np.diff(weights.seen), model


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"steps": 4}, [0.5, 0.5, 0.5, 0.5]),
        ({"steps": 4, "learning_rate_schedule": "linear"}, [0.5, 0.375, 0.25, 0.125]),
        ({"epochs": 1, "learning_rate_schedule": "linear"}, [0.5, 0.375, 0.25, 0.125]),
        ({"epochs": 1, "steps": 2, "learning_rate_schedule": "linear"}, [0.5, 0.25]),
        (
            {"steps": 4, "learning_rate_schedule": "cosine"},
            0.25 * (1 + np.cos(np.pi * np.arange(4) / 4)),
        ),
        ({"steps": 4, "warmup_steps": 2}, [0.25, 0.5, 0.5, 0.5]),
        (
            {"steps": 4, "warmup_steps": 2, "learning_rate_schedule": "linear"},
            [0.25, 0.375, 0.25, 0.125],
        ),
    ],
)
def test_rates_rise_and_fall_as_they_are_told(settings, expected):
    moved, model = rates(**settings)
    np.testing.assert_allclose(moved, expected, rtol=1e-5)
    assert float(model.optimizers["network"].learning_rate) == 0.5, "callbacks see the rate itself"


def test_a_fused_update_and_weight_decay_follow_too():
    moved, _ = rates(keras.optimizers.Adam(0.1), steps=4, learning_rate_schedule="linear")
    np.testing.assert_allclose(moved, [0.1, 0.075, 0.05, 0.025], rtol=1e-3)
    decaying = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    model, weights = Slope(decaying), Weights()
    model.network.layers[0].kernel.assign(np.full((3, 1), 8.0))
    run = UnsavedRun(FitSettings(batch_size=16, steps=2, learning_rate_schedule="linear"))
    genkit.Trainer().fit(model, genkit.data.as_source(DATA), run, [weights])
    first = 8 * (1 - 0.1 * 0.5) - 0.1
    assert weights.seen[1:] == pytest.approx([first, first * (1 - 0.05 * 0.5) - 0.05], rel=1e-4)


def test_a_callback_that_lowers_the_rate_lowers_what_is_scaled():
    class Halve(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                self.model.optimizer.optimizers[0].learning_rate = 0.25

    moved, _ = rates(callbacks=[Halve()], steps=4, learning_rate_schedule="linear")
    np.testing.assert_allclose(moved, [0.5, 0.375, 0.125, 0.0625], rtol=1e-5)


def test_with_a_time_limit_the_share_of_the_time_counts():
    settings = FitSettings(seconds=100, learning_rate_schedule="linear")
    assert settings.learning_rate_factor(7, 25.0, 10) == 0.75
    both = FitSettings(steps=10, seconds=100, learning_rate_schedule="linear")
    assert both.learning_rate_factor(5, 25.0, 10) == 0.5
    assert both.learning_rate_factor(5, 75.0, 10) == 0.25
    assert both.learning_rate_factor(10, 120.0, 10) == 0.0


def test_the_number_of_steps_follows_from_what_ends_the_run():
    assert FitSettings(epochs=3).expected_steps(4, 9.0, 10) == 30
    assert FitSettings(seconds=100).expected_steps(0, 0.0, 10) == np.inf
    assert FitSettings(seconds=100).expected_steps(8, 25.0, 10) == 32
    assert FitSettings(steps=20, seconds=100).expected_steps(8, 25.0, 10) == 20
    assert FitSettings(steps=40, seconds=100).expected_steps(8, 25.0, 10) == 32


class Told(Slope):
    """Keeps to schedules of its own, and logs what it was told."""

    def __init__(self, optimizer, *others):
        super().__init__(optimizer)
        self.other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
        self.add_optimizer("other", keras.optimizers.SGD(0.0), self.other)

    def schedule(self, step, total):
        return {"share": step / total}

    def learning_rate_factors(self, step, total):
        return {"network": 1 - step / total}

    def training_step(self, batch, minimize):
        loss, _ = minimize("network", self.loss, batch["vector"])
        other, _ = minimize("other", lambda x: ops.mean(ops.square(self.other(x))), batch["vector"])
        return {"loss": loss, "other": other, "share": batch["share"]}


def told(model, **settings):
    seen, weights = [], Weights()
    each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: seen.append(logs))
    run = UnsavedRun(FitSettings(batch_size=16, **settings))
    trainer = genkit.Trainer()
    trainer.fit(model, genkit.data.as_source(DATA), run, [weights, each])
    return seen, -np.diff(weights.seen), trainer


def test_a_model_s_own_schedules_know_the_end_and_are_compiled():
    logs, moved, trainer = told(Told(keras.optimizers.SGD(0.5)), steps=4)
    assert [log["share"] for log in logs] == [0, 0.25, 0.5, 0.75]
    np.testing.assert_allclose(moved, [0.5, 0.375, 0.25, 0.125], rtol=1e-5)
    assert trainer.engine.eager == ""


def test_a_model_s_factors_and_the_run_s_schedule_multiply():
    _, moved, trainer = told(
        Told(keras.optimizers.SGD(0.5)),
        steps=4,
        warmup_steps=2,
        learning_rate_schedule="cosine",
    )
    cosine = (1 + np.cos(np.pi * np.arange(4) / 4)) / 2
    expected = 0.5 * np.array([0.5, 1, 1, 1]) * cosine * [1, 0.75, 0.5, 0.25]
    np.testing.assert_allclose(moved, expected, rtol=1e-5)
    assert trainer.engine.eager == "", "warm-up and cosine are inputs of what is recorded"


def test_with_a_limit_of_time_a_model_s_schedule_follows_the_share_that_is_spent():
    logs, moved, _ = told(Told(keras.optimizers.SGD(0.5)), seconds=1.0)
    shares = [log["share"] for log in logs]
    assert shares[0] == 0, "nothing is spent, and nothing known"
    assert shares == sorted(shares)
    assert 0 < shares[-1] < 1
    np.testing.assert_allclose(moved[:50], 0.5 * (1 - np.array(shares[:50])), rtol=1e-3)


def test_a_schedule_of_the_step_alone_is_still_one():
    class Old(Told):
        def schedule(self, step):
            return {"share": float(step)}

    logs, _, _ = told(Old(keras.optimizers.SGD(0.5)), steps=2)
    assert [log["share"] for log in logs] == [0, 1]


def test_factors_for_an_optimizer_that_is_not_there_are_refused():
    class Wrong(Told):
        def learning_rate_factors(self, step, total):
            return {"netwrok": 0.5}

    with pytest.raises(UsageError, match=r"of network, other; received one for 'netwrok'"):
        told(Wrong(keras.optimizers.SGD(0.5)), steps=2)


def test_fit_warms_up_and_falls():
    model, weights = Slope(keras.optimizers.SGD(0.5)), Weights()
    model.fit(
        DATA,
        batch_size=16,
        steps=4,
        warmup_steps=2,
        learning_rate_schedule="linear",
        callbacks=[weights],
        verbose=False,
    )
    np.testing.assert_allclose(-np.diff(weights.seen), [0.25, 0.375, 0.25, 0.125], rtol=1e-5)


PLAN = {
    "dataset": "digits",
    "config": {"width": 4, "hidden": 8, "latent_dim": 2, "average_window": 0.1},
    "batch_size": 100,
    "steps": 6,
    "checkpoint_every": 3,
    "learning_rate_schedule": "linear",
    "warmup_steps": 2,
    "verbose": False,
}


def weights_of(result):
    from safetensors.numpy import load_file

    run = result.run
    return load_file(run.checkpoints / f"{result.outcome.steps:08d}/model.safetensors")


def same(one, other):
    return all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.slow
@pytest.mark.once
def test_a_run_in_two_sittings_falls_as_in_one(tmp_path):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch + 1 == 3:
                os.kill(os.getpid(), signal.SIGINT)

    whole = genkit.train("vae", runs_dir=tmp_path, name="whole", **PLAN)
    cut = genkit.train("vae", runs_dir=tmp_path, name="cut", callbacks=[Stop()], **PLAN)
    assert cut.outcome.steps == 3
    resumed = genkit.resume(cut.path, verbose=False)
    assert same(weights_of(resumed), weights_of(whole))


def test_what_knows_the_end_goes_on_to_the_bit_when_resumed(tmp_path, active_backend):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            os.kill(os.getpid(), signal.SIGINT)

    def train(name, *callbacks):
        return genkit.train(
            lambda: Told(keras.optimizers.SGD(0.5)),
            dataset=DATA,
            batch_size=16,
            steps=6,
            warmup_steps=2,
            learning_rate_schedule="cosine",
            backend=active_backend,
            callbacks=callbacks,
            runs_dir=tmp_path,
            name=name,
            verbose=False,
        )

    whole, cut = train("whole"), train("cut", Stop())
    assert cut.outcome.steps == 1
    resumed = genkit.resume(cut.path, verbose=False)
    assert resumed.history["share"].tolist() == whole.history["share"].tolist()
    assert same(weights_of(resumed), weights_of(whole))


@pytest.mark.slow
@pytest.mark.once
def test_a_longer_run_falls_over_its_new_length_and_a_shorter_sitting_over_the_plan_s(tmp_path):
    run = genkit.train("vae", runs_dir=tmp_path, name="run", **PLAN).run

    def factors(run, *steps):
        return [run.settings.learning_rate_factor(step, 0.0, 17) for step in steps]

    assert factors(run, 3, 5) == pytest.approx([1 / 2, 1 / 6])
    longer = Run.open(run.path)
    longer.go_on_for(6)
    assert factors(longer, 6, 9, 11) == pytest.approx([1 / 2, 1 / 4, 1 / 12])
    longer.go_on_until(4)
    assert factors(longer, 3) == pytest.approx([1 / 2]), "a part of the run, as it was planned"
    assert genkit.resume(run.path, 6, verbose=False).outcome.steps == 12


def test_a_window_averages_over_its_share_of_the_steps_so_far():
    moved, model = rates(WindowedAdam(0.5, 0.25), steps=8)
    values = 1 - np.cumsum(moved)
    average = values[0]
    for step, value in enumerate(values[1:], 2):
        kept = (1 - 1 / step) ** 4
        average = kept * average + (1 - kept) * value
    assert model.weight == pytest.approx(values[-1])
    with model.averaged_weights():
        assert model.weight == pytest.approx(average, rel=1e-5)
    assert model.weight == pytest.approx(values[-1])
