"""A model whose gradients can be written down, and training of it in memory."""

import keras
import numpy as np
from genkit_dp.config import PrivacyConfig
from genkit_dp.trainer import PrivateTrainer
from keras import ops

import genkit
from genkit.data import as_source
from genkit.models.training.unsaved_run import UnsavedRun
from genkit.plan.fitting import FitSettings


class Linear(genkit.Model):
    """Maps an item to the first of its own features; the loss is the squared error."""

    def __init__(self, features, outputs=2, hidden=(), optimizer=None):
        super().__init__()
        self.outputs = outputs
        layers = [keras.layers.Dense(units, activation="relu") for units in hidden]
        layers = [keras.Input((features,)), *layers, keras.layers.Dense(outputs)]
        self.network = keras.Sequential(layers)
        self.add_optimizer("network", optimizer or keras.optimizers.SGD(1.0), self.network)

    def noise(self, rng, n):
        return {}

    def loss(self, batch):
        x = batch["vector"]
        error = self.network(x) - x[:, : self.outputs]
        return ops.mean(ops.sum(ops.square(error), axis=1))

    def training_step(self, batch, minimize):
        loss, _ = minimize("network", self.loss, batch)
        return {"loss": loss}


class Autoencoder(Linear):
    """Two layers, wide enough to learn its items by heart."""

    def __init__(self, features):
        super().__init__(features, features, (64,), keras.optimizers.Adam(1e-2))

    def errors(self, x):
        made = np.asarray(ops.convert_to_numpy(self.network(ops.convert_to_tensor(x))))
        return np.square(made - x).sum(axis=1)


def items(n=40, features=5, seed=0):
    return np.random.default_rng(seed).standard_normal((n, features)).astype("float32")


def train(model, x, trainer=None, *, batch_size=8, steps=1, log=None, **settings):
    trainer = trainer or PrivateTrainer(PrivacyConfig(**settings))
    run = UnsavedRun(FitSettings(batch_size=batch_size, steps=steps))
    if log is not None:
        run.log = log
    trainer.fit(model, as_source(x), run)
    return trainer


def weights(model):
    return [np.array(ops.convert_to_numpy(v.value)) for v in model.network.trainable_variables]
