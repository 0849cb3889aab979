"""Numbers that a step keeps: compiled, saved, resumed, averaged where they say so."""

import os
import signal

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit import layers
from genkit.engine.collective import Collective
from genkit.errors import UsageError
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.plan.fitting import FitSettings

pytestmark = pytest.mark.usefixtures("active_backend")
DATA = {"vector": np.random.default_rng(0).random((64, 3), np.float32)}


class Keeping(genkit.Model):
    """Keeps a running mean of its loss, and counts its steps."""

    def __init__(self):
        super().__init__()
        normalized = layers.BatchNormalization(momentum=0.5)
        self.network = keras.Sequential([keras.Input((3,)), normalized, keras.layers.Dense(1)])
        self.quantizer = layers.VectorQuantizer(4)
        self.quantizer.build((None, 3))
        self.add_optimizer("network", keras.optimizers.SGD(0.1), self.network)
        self.mean_loss = self.add_state("mean_loss", initial=2.0)
        self.count = self.add_state("count", (2,), merge="first")

    def error(self, x):
        return ops.mean(ops.square(self.network(x, training=True) - 1.0))

    def training_step(self, batch, minimize):
        loss, _ = minimize("network", self.error, batch["vector"])
        self.mean_loss.assign(0.5 * self.mean_loss + 0.5 * loss)
        self.count.assign(self.count + 1.0)
        return {"loss": loss, "mean_loss": ops.convert_to_tensor(self.mean_loss)}


def numbers(model):
    return {k: ops.convert_to_numpy(v.value) for k, v in model.running_numbers.items()}


def test_a_step_keeps_them_and_a_look_at_held_out_data_does_not():
    keras.utils.set_random_seed(0)
    model = Keeping()
    seen = []
    each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: seen.append(logs))
    model.fit(DATA, steps=3, validation_data=DATA, validate_every=1, callbacks=[each],
              verbose=False)  # fmt: skip
    mean = 2.0
    for logs in seen:
        mean = 0.5 * mean + 0.5 * logs["loss"]
        assert logs["mean_loss"] == pytest.approx(mean, rel=1e-5)
    assert numbers(model)["mean_loss"] == pytest.approx(mean, rel=1e-5)
    assert numbers(model)["count"].tolist() == [3, 3]


def test_they_are_resumed_and_loaded(tmp_path, active_backend):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            os.kill(os.getpid(), signal.SIGINT)

    def train(name, *callbacks):
        return genkit.train(Keeping, dataset=DATA, batch_size=16, steps=4, name=name,
                            callbacks=callbacks, runs_dir=tmp_path, backend=active_backend,
                            verbose=False)  # fmt: skip

    whole, cut = train("whole"), train("cut", Stop())
    resumed = genkit.resume(cut.path, verbose=False)
    assert resumed.history["mean_loss"].tolist() == whole.history["mean_loss"].tolist()
    loaded = numbers(genkit.load(resumed.path))
    assert loaded["count"].tolist() == [4, 4]
    assert loaded["mean_loss"] == np.float32(whole.history["mean_loss"][-1])


class BesideZeros(Collective):
    """Two workers, the other of which has zeros wherever this one has numbers."""

    apart = True

    def _summed(self, flat):
        return flat * 1.0

    def _gathered(self, flat):
        return ops.concatenate([flat, ops.zeros_like(flat)])


class OfTwo(genkit.Trainer):
    def open_engine(self, model):
        super().open_engine(model)
        self.engine.collective = BesideZeros(0, 2)

    def open_loader(self, *given):
        loader = super().open_loader(*given)
        assert loader.part == (0, 2)
        return loader


def test_workers_take_the_mean_of_those_that_mean_one_and_the_firsts_of_the_others():
    model, trainer = Keeping(), OfTwo()
    run = UnsavedRun(FitSettings(batch_size=16, steps=1))
    outcome = trainer.fit(model, genkit.data.as_source(DATA), run)
    own = 0.5 * 2 + 0.5 * (2 * outcome.metrics["loss"])  # the log has the mean over workers
    assert numbers(model)["mean_loss"] == pytest.approx(own / 2, rel=1e-5)
    assert numbers(model)["count"].tolist() == [1, 1]
    averaged = {key.rpartition("/")[2] for key in trainer.engine.state.averaged}
    assert averaged == {
        "mean_loss", "moving_mean", "moving_variance", "codebook", "counts", "sums",
    }  # fmt: skip
    assert trainer.engine.eager == ""


@pytest.mark.once
def test_a_name_twice_and_an_unknown_way_to_merge_are_refused():
    model = Keeping()
    with pytest.raises(UsageError, match="'count' is added twice"):
        model.add_state("count")
    with pytest.raises(UsageError, match="'mean' or 'first'; received 'sum'"):
        model.add_state("more", merge="sum")
