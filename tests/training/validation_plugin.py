"""A plugin whose model overfits on purpose: its weight grows by one a step, and five is best."""

import keras
from keras import ops

import genkit


class NoConfig(genkit.Config):
    """No settings."""


class Overfits(genkit.Model):
    """A weight that each step moves on, past where it is best on other data."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
        self.network.layers[0].kernel.assign([[0.0]])
        self.add_optimizer("network", keras.optimizers.SGD(1.0), self.network)

    def weight(self):
        return ops.sum(self.network(ops.ones((1, 1))))

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", lambda: -self.weight())[0]}

    def validation_step(self, batch):
        return {"loss": ops.square(self.weight() - 5.0)}


@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(
        name="overfits",
        summary="Learns too much",
        model=f"{__name__}:Overfits",
        config=f"{__name__}:NoConfig",
        accepts=("image",),
        capabilities=("nothing",),
        presets={"default": {"dataset": "digits", "batch_size": 100}},
    )
