"""Small models that show one engine property each."""

import keras
import numpy as np
from keras import layers

import genkit
from genkit import engine
from genkit.models.training.stepping import CompiledStep


def mlp_gan(width=16, features=4, batch_norm=True, dropout=0.5, optimizer=None):
    """A GAN on vectors with everything that moves: batch norm, dropout, two optimizers."""
    make = optimizer or (lambda: keras.optimizers.Adam(1e-2))
    hidden = [layers.Dense(width), *([layers.BatchNormalization()] if batch_norm else [])]
    generator = keras.Sequential(
        [keras.Input((3,)), *hidden, layers.LeakyReLU(), layers.Dense(features)], name="g"
    )
    discriminator = keras.Sequential(
        [
            keras.Input((features,)),
            layers.Dense(width),
            layers.LeakyReLU(),
            layers.Dropout(dropout),
            layers.Dense(1),
        ],
        name="d",
    )
    schema = genkit.Schema({"vector": genkit.Field((features,), "float32", "vector", (-3, 3))})
    return genkit.GAN(
        generator,
        discriminator,
        schema=schema,
        generator_optimizer=make(),
        discriminator_optimizer=make(),
    )


def batch_for(model, n=8, seed=0):
    rng = np.random.default_rng(seed)
    vector = rng.standard_normal((n, 4)).astype("float32")
    return {"vector": vector, **model.noise(rng, n)}


def stepper(model, names=None):
    """Compile the model's step; with ``names``, only these optimizers update."""
    e = engine.create(model)
    trainer = genkit.Trainer()
    trainer.engine = e

    def minimize(name, fn, *inputs):
        if names is None or name in names:
            return trainer.minimize(name, fn, *inputs)
        return fn(*inputs), {}

    step = CompiledStep(trainer, model, 0, lambda batch: model.training_step(batch, minimize))

    def run(batch, number=0):
        return e.fetch(step(number, batch))

    return e, run


def read(engine_):
    weights, training = engine_.state.read()
    return {**weights, **training}


def changed(before, after):
    return {key for key in before if not np.array_equal(before[key], after[key])}
