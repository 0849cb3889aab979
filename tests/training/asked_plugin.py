"""A plugin whose model draws nothing unless it is told how light: its samples show it."""

import keras
import numpy as np
from keras import ops

import genkit
from genkit.data import ArraySource

N = 40
CONDITIONS = (genkit.Condition("light", required=True), genkit.Condition("name", required=True))


class NoConfig(genkit.Config):
    """No settings."""


def open_shades(_):
    """Open pictures of one grey each: how light, and its name."""
    light = (np.arange(N) / N).astype("float32")
    pictures = np.broadcast_to(np.round(255 * light)[:, None, None, None], (N, 4, 4, 1))
    fields = {
        "picture": genkit.Field((4, 4, 1), "uint8", "image", (0, 255)),
        "light": genkit.Field((), "float32", "number", (0, 1)),
        "name": genkit.Field((), "int32", "category", classes=("dark", "pale")),
    }
    columns = {
        "picture": pictures.astype("uint8"),
        "light": light,
        "name": (light > 0.5).astype("int32"),
    }
    return ArraySource(columns, genkit.Schema(fields))


class Shades(genkit.Model):
    """Draws the grey that it is given; what it learns is a weight beside."""

    conditions = CONDITIONS

    def __init__(self, config, schema):
        super().__init__(config, schema)
        self.network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
        self.add_optimizer("network", keras.optimizers.SGD(0.1), self.network)

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, 1), dtype="float32")}

    def training_step(self, batch, minimize):
        return {"loss": minimize("network", self.error, batch["z"])[0]}

    def error(self, z):
        return ops.mean(ops.square(self.network(z) - 1.0))

    def decode(self, z, light, name):
        grey = ops.reshape(255.0 * light, (-1, 1, 1, 1))
        return ops.broadcast_to(grey, (*z.shape[:1], 4, 4, 1))


@genkit.hookimpl
def genkit_datasets():
    yield genkit.DatasetSpec(
        name="shades", summary="Greys", source=f"{__name__}:open_shades",
        config=f"{__name__}:NoConfig", modality="image",
    )  # fmt: skip


@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(
        name="shades", summary="Greys that are asked for", model=f"{__name__}:Shades",
        config=f"{__name__}:NoConfig", accepts=("image", "number"), conditions=CONDITIONS,
        presets={"default": {"dataset": "shades", "batch_size": 8, "steps": 4, "sample_every": 2}},
    )  # fmt: skip
