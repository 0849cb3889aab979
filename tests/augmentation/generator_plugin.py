"""A plugin with conditional generators of known worth: real images, and noise."""

import keras
import numpy as np

import genkit
from genkit.builtin.datasets.digits import DigitsConfig, open_digits

PER_CLASS = 100


class NoSettings(genkit.Config):
    """No settings."""


class Memory(genkit.Model):
    """Gives one of the images it holds of the class that is asked for."""

    conditional = True

    def __init__(self, config, schema):
        super().__init__(config, schema)
        shape = (10 * PER_CLASS, *schema["image"].shape)
        self.images = self.add_weight(shape=shape, initializer="zeros", name="images")

    def noise(self, rng, n):
        return {"draw": rng.random(n, dtype="float32")}

    def decode(self, draw, label):
        place = keras.ops.cast(keras.ops.floor(draw * PER_CLASS), "int32")
        return keras.ops.take(self.images, label * PER_CLASS + place, axis=0)


class Perfect(Memory):
    """Cheats: it holds images of the train split that the subset doesn't have."""

    def solve(self, source):
        data = open_digits(DigitsConfig(per_class=PER_CLASS, subset_seed=99))
        images, labels = data.arrays["image"], data.arrays["label"]
        self.images.assign(images[np.argsort(labels, kind="stable")].astype("float32"))
        return {}


class Noise(Memory):
    """Gives noise under any label."""

    def solve(self, source):
        rng = np.random.default_rng(0)
        self.images.assign(rng.uniform(0, 16, self.images.shape).astype("float32"))
        return {}


@genkit.hookimpl
def genkit_models():
    for name, model in (("perfect", "Perfect"), ("noise", "Noise")):
        yield genkit.ModelSpec(
            name=name,
            summary=f"A generator for tests: {name}",
            model=f"{__name__}:{model}",
            config=f"{__name__}:NoSettings",
            accepts=("image", "label"),
            trainer="closed-form",
            presets={"default": {"dataset": "digits"}},
        )
