"""model.fit and the loop: lengths, history, callbacks, bad losses."""

import csv

import keras
import numpy as np
import pytest

import genkit
from genkit.errors import DataError, DivergedError, UsageError
from tests.engine.small import mlp_gan

pytestmark = pytest.mark.usefixtures("active_backend", "compiled_fast")
DATA = {"vector": np.random.default_rng(0).uniform(-3, 3, (64, 4)).astype("float32")}


def fit(model=None, **settings):
    model = model or mlp_gan()
    return model.fit(DATA, **{"batch_size": 16, "verbose": False, **settings}), model


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.events = []

    def on_train_begin(self, logs=None):
        self.events.append("train begin")

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(f"epoch {epoch} begin")

    def on_train_batch_end(self, batch, logs=None):
        self.events.append(f"batch {batch}")

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(f"epoch {epoch} end")

    def on_train_end(self, logs=None):
        self.events.append("train end")


def test_fit_gives_the_history_of_mean_losses():
    history, model = fit(epochs=3)
    assert set(history.history) == {"d_loss", "g_loss"}
    assert len(history.history["d_loss"]) == 3
    assert int(model.optimizers["generator"].iterations) == 3 * 4


def test_callbacks_see_epochs_and_batches_in_order():
    recorder = Recorder()
    fit(steps=6, callbacks=[recorder])
    assert recorder.events == [
        "train begin",
        "epoch 0 begin", "batch 0", "batch 1", "batch 2", "batch 3", "epoch 0 end",
        "epoch 1 begin", "batch 0", "batch 1", "epoch 1 end",
        "train end",
    ]  # fmt: skip


class Counting(genkit.Model):
    """Counts its steps in a variable and logs it."""

    def __init__(self):
        super().__init__()
        self.network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.add_optimizer("network", keras.optimizers.SGD(0.01), self.network)

    def loss(self, batch):
        return keras.ops.mean(keras.ops.square(self.network(batch["vector"])))

    def training_step(self, batch, minimize):
        loss, _ = minimize("network", self.loss, batch)
        self.count.assign(self.count + 1)
        return {"loss": loss, "count": self.count.value}


def test_a_step_is_logged_as_it_was_though_the_next_one_has_begun():
    history, _ = fit(Counting(), epochs=2)
    assert history.history["count"] == [2.5, 6.5]  # the means of 1, 2, 3, 4 and of 5, 6, 7, 8


def test_a_callback_that_watches_steps_sees_the_model_as_each_step_left_it():
    model, seen = Counting(), []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append((int(model.count), logs["count"]))
    )
    fit(model, steps=6, callbacks=[watch])
    assert seen == [(count, count) for count in range(1, 7)]


@pytest.mark.parametrize(
    ("settings", "steps"),
    [({}, 4), ({"epochs": 2}, 8), ({"steps": 3}, 3), ({"epochs": 1, "steps": 9}, 4)],
)
def test_the_first_limit_reached_ends_training(settings, steps):
    _, model = fit(**settings)
    assert int(model.optimizers["generator"].iterations) == steps


def test_early_stopping_stops():
    stop = keras.callbacks.EarlyStopping(monitor="d_loss", patience=0, min_delta=100, mode="min")
    history, _ = fit(epochs=20, callbacks=[stop])
    assert len(history.history["d_loss"]) == 2


def averaging_gan():
    return mlp_gan(optimizer=lambda: keras.optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5))


def test_after_fit_the_averaged_weights_are_the_weights_as_after_load():
    _, model = fit(averaging_gan(), steps=6)
    before = model.generate(4)
    for name, optimizer in model.optimizers.items():
        owned = model.owned_variables(name)
        averages = [
            keras.ops.convert_to_numpy(average)
            for average in optimizer._model_variables_moving_average
        ]
        assert len(averages) == len(owned)
        for variable, average in zip(owned, averages, strict=True):
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(variable), average)
    with model.averaged_weights():
        np.testing.assert_array_equal(model.generate(4), before)
    fit(model, steps=2)
    assert model.trained_steps == 8


def test_the_weights_of_a_fitted_model_can_be_saved_and_loaded(tmp_path):
    _, model = fit(steps=2)
    assert model.built
    model.save_weights(tmp_path / "gan.weights.h5")
    other = mlp_gan()
    other.load_weights(tmp_path / "gan.weights.h5")
    np.testing.assert_array_equal(other.generate(4), model.generate(4))


def test_a_model_is_built_when_all_its_networks_are():
    model = genkit.Model()
    model.network = keras.layers.Dense(2)
    assert not model.built
    assert "not built yet" in repr(model)
    model.network.build((None, 3))
    assert model.built
    assert model.count_params() == 8


def test_csv_logger_writes_each_epoch(tmp_path):
    fit(epochs=2, callbacks=[keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))])
    with (tmp_path / "log.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert float(rows[1]["g_loss"]) > 0


def test_learning_rate_scheduler_sets_every_optimizer():
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 10)
    _, model = fit(epochs=2, callbacks=[scheduler])
    rates = [float(o.learning_rate) for o in model.optimizers.values()]
    assert rates == pytest.approx([1e-4, 1e-4])


def test_reduce_lr_on_plateau_lowers_every_optimizer():
    reduce = keras.callbacks.ReduceLROnPlateau(
        monitor="d_loss", patience=1, min_delta=100, factor=0.1, mode="min"
    )
    _, model = fit(epochs=2, callbacks=[reduce])
    rates = [float(o.learning_rate) for o in model.optimizers.values()]
    assert rates == pytest.approx([1e-3, 1e-3])


def test_a_changed_learning_rate_changes_the_compiled_step():
    class FreezeAfterFirst(keras.callbacks.Callback):
        kernels = ()

        def on_epoch_end(self, epoch, logs=None):
            kernel = self.model.generator.layers[0].kernel.value
            self.kernels += (np.array(keras.ops.convert_to_numpy(kernel)),)
            for optimizer in self.model.optimizer.optimizers:
                optimizer.learning_rate = 0.0

    freeze = FreezeAfterFirst()
    model = mlp_gan(optimizer=lambda: keras.optimizers.SGD(0.1))
    before = np.array(keras.ops.convert_to_numpy(model.generator.layers[0].kernel.value))
    fit(model, epochs=3, callbacks=[freeze])
    first, second, third = freeze.kernels
    assert not np.array_equal(before, first)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(first, third)


def test_tensorboard_writes_events(tmp_path):
    for needed in ("tensorflow", "tensorboard"):  # Keras' callback writes through both
        pytest.importorskip(needed)
    fit(epochs=2, callbacks=[keras.callbacks.TensorBoard(str(tmp_path))])
    assert [f for f in tmp_path.rglob("events.out.*") if f.stat().st_size]


class Exploding(genkit.GAN):
    """Its loss is infinite from the third step on."""

    def schedule(self, step):
        return {"factor": 1.0 if step < 2 else float("inf")}

    def training_step(self, batch, minimize):
        loss, _ = minimize("discriminator", self.discriminator_loss, batch)
        return {"loss": loss * batch["factor"]}


def exploding():
    model = mlp_gan()
    return Exploding(model.generator, model.discriminator, schema=model.schema)


def test_a_loss_that_is_no_number_stops_with_its_name_and_step():
    with pytest.raises(DivergedError, match="'loss' became inf at step 3"):
        fit(exploding(), epochs=2)


def test_terminate_on_nan_ends_quietly_instead():
    recorder = Recorder()
    fit(exploding(), epochs=2, callbacks=[keras.callbacks.TerminateOnNaN(), recorder])
    assert recorder.events[-1] == "train end"
    assert recorder.events.count("batch 2") == 1


def test_a_batch_larger_than_the_data_says_what_to_pass():
    with pytest.raises(DataError, match=r"64 items.*100"):
        fit(batch_size=100)


def test_compile_explains_itself():
    with pytest.raises(UsageError, match=r"needs no compile\(\)"):
        mlp_gan().compile(optimizer="adam")


def test_several_batches_a_step_come_as_a_tuple_each_with_its_own_noise():
    seen = []

    class Critic(genkit.GAN):
        batches_per_step = 3

        def training_step(self, batches, minimize):
            for batch in batches[:-1]:
                d_loss, _ = minimize("discriminator", self.discriminator_loss, batch)
            seen.append(len(batches))
            g_loss, _ = minimize("generator", self.generator_loss, batches[-1])
            differ = keras.ops.mean(keras.ops.abs(batches[0]["z"] - batches[1]["z"]))
            return {"d_loss": d_loss, "g_loss": g_loss, "differ": differ}

    base = mlp_gan()
    model = Critic(base.generator, base.discriminator, schema=base.schema)
    history, _ = fit(model, epochs=2)
    assert set(seen) == {3}
    assert int(model.optimizers["generator"].iterations) == 2
    assert int(model.optimizers["discriminator"].iterations) == 4
    assert min(history.history["differ"]) > 0.1


def test_fit_without_a_schema_takes_it_from_the_data():
    base = mlp_gan()
    model = genkit.GAN(base.generator, base.discriminator, output_range=(-1, 1))
    fit(model, steps=1)
    assert model.schema["vector"].range == pytest.approx(
        (DATA["vector"].min(), DATA["vector"].max())
    )


def test_a_model_without_a_training_step_is_refused():
    class Idle(genkit.Model):
        pass

    with pytest.raises(UsageError, match="no training_step"):
        Idle().fit(DATA, verbose=False)


def test_a_trainer_may_change_gradients_between_the_verbs():
    from genkit.data import as_source
    from genkit.models.training.unsaved_run import UnsavedRun
    from genkit.plan.fitting import FitSettings

    class Still(genkit.Trainer):
        def transform_gradients(self, name, gradients):
            return [0 * g for g in gradients] if name == "generator" else gradients

    model = mlp_gan(optimizer=lambda: keras.optimizers.SGD(0.1))
    first = np.array(keras.ops.convert_to_numpy(model.generator.layers[0].kernel.value))
    other = np.array(keras.ops.convert_to_numpy(model.discriminator.layers[0].kernel.value))
    Still().fit(model, as_source(DATA), UnsavedRun(FitSettings(batch_size=16, steps=2)))
    assert np.array_equal(first, keras.ops.convert_to_numpy(model.generator.layers[0].kernel.value))
    assert not np.array_equal(
        other, keras.ops.convert_to_numpy(model.discriminator.layers[0].kernel.value)
    )
