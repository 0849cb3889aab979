"""A program that trains its own model, alone or as one of several workers.

python -m tests.workers.program FOLDER NAME STEPS MODEL
"""

import sys
from functools import partial

import keras
import numpy as np
from keras import ops

import genkit
from genkit import layers
from genkit.engine.keras_inside import silence_layers
from genkit.plan import activation
from genkit.plugins.registry import installed
from genkit.runs.inputs import build_model

ROWS, BATCH = 96, 16


def data():
    return {"vector": np.random.default_rng(0).random((ROWS, 6), np.float32)}


class Summed(genkit.Model):
    """Has all that needs the whole batch: two networks, batch normalisation, a codebook."""

    drop = 0.0
    normalization = layers.BatchNormalization

    def __init__(self):
        super().__init__()
        dense = keras.layers.Dense
        first, second = self.normalization(), self.normalization()
        self.encoder = keras.Sequential(
            [keras.Input((6,)), dense(8), first, layers.Dropout(self.drop), dense(3)]
        )
        self.decoder = keras.Sequential([keras.Input((3,)), dense(8), second, dense(6)])
        self.quantizer = layers.VectorQuantizer(6, decay=0.8)
        self.quantizer.build((None, 3))
        self.add_optimizer("encoder", keras.optimizers.SGD(0.05), self.encoder)
        self.add_optimizer("decoder", keras.optimizers.SGD(0.05), self.decoder)
        self.mean_loss = self.add_state("mean_loss", initial=1.0)
        self.count = self.add_state("count", merge="first")

    def training_noise(self, rng, n):
        return {
            "z": rng.standard_normal((n, 3), dtype="float32"),
            "lottery": rng.random(n, dtype="float32"),
        }

    def code(self, batch):
        encoded = self.encoder(batch["vector"], training=True)
        quantized, _ = self.quantizer(encoded, batch["lottery"], training=True)
        return ops.mean(ops.square(encoded - quantized)) + ops.mean(ops.square(encoded - 1.0))

    def draw(self, batch):
        made = self.decoder(batch["z"], training=True)
        return ops.mean(ops.square(made - batch["vector"]))

    def training_step(self, batch, minimize):
        code, _ = minimize("encoder", self.code, batch)
        drawn, _ = minimize("decoder", self.draw, batch)
        self.mean_loss.assign(0.9 * self.mean_loss + 0.1 * drawn)
        self.count.assign(self.count + 1.0)
        return {"code": code, "drawn": drawn}


class Dropping(Summed):
    """Drops units at random."""

    drop = 0.5


class Stock(Summed):
    """Has a layer whose statistics nobody sums."""

    normalization = keras.layers.BatchNormalization


class Forgetful(Summed):
    """Keeps of its part of the batch what it declared to be alike."""

    def __init__(self):
        super().__init__()
        self.seen = self.add_weight(name="seen", initializer="zeros", trainable=False)

    def training_step(self, batch, minimize):
        self.seen.assign(ops.mean(batch["vector"]))
        return super().training_step(batch, minimize)


class Adding(Summed):
    """Declares a weight whose parts are to be added up."""

    def __init__(self):
        super().__init__()
        self.total = self.add_weight(name="total", trainable=False, aggregation="sum")


def built_in(name, schema):
    """Build a small built-in model that learns by SGD and whose layers draw nothing."""
    tiny = installed().find("models", name).spec.tiny
    model = build_model(name, "genkit-keras", tiny, schema)
    silence_layers(model)
    for key in list(model.optimizers):
        networks = model._networks.pop(key)
        del model.optimizers[key]
        model.add_optimizer(key, keras.optimizers.SGD(0.01), *networks)
    return model


def pictures():
    rng = np.random.default_rng(0)
    return {
        "image": rng.integers(0, 256, (ROWS, 8, 8, 1), np.uint8),
        "label": rng.integers(0, 3, ROWS),
    }


MODELS = {each.__name__: each for each in (Summed, Dropping, Stock, Forgetful, Adding)}


def train(folder, name, steps, model, **asked):
    """Train from a program, every step a checkpoint."""
    own = MODELS.get(model)
    return genkit.train(
        own or partial(built_in, model), dataset=data() if own else pictures(), batch_size=BATCH,
        steps=int(steps), checkpoint_every=1, keep=1000, runs_dir=folder, name=name, verbose=False,
        **asked,
    )  # fmt: skip


if __name__ == "__main__":
    import os

    launcher = {"launcher": "env"} if "RANK" in os.environ else {}
    try:
        train(*sys.argv[1:], backend=activation.choose_backend(), **launcher)
    except genkit.errors.GenkitError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        os._exit(error.exit_code)
