"""A plugin with a model that solves: it memorises the mean image."""

import numpy as np

import genkit


class MeanConfig(genkit.Config):
    """No settings."""


class MeanImage(genkit.Model):
    """Generates the mean of the training images, with a little noise."""

    def __init__(self, config, schema):
        super().__init__(config, schema)
        shape = schema["image"].shape
        self.mean = self.add_weight(shape=shape, initializer="zeros", name="mean")

    def solve(self, source):
        images = source.gather(np.arange(len(source)))["image"]
        self.mean.assign(images.mean(axis=0))
        return {"variance": images.var()}

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, 1, 1, 1))}

    def decode(self, z):
        return self.mean + 0.01 * z


@genkit.hookimpl
def genkit_models():
    yield genkit.ModelSpec(
        name="mean-image",
        summary="The mean image",
        model=f"{__name__}:MeanImage",
        config=f"{__name__}:MeanConfig",
        accepts=("image",),
        trainer="closed-form",
        presets={"default": {"dataset": "digits"}},
    )
