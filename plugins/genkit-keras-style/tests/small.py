"""Small data and models that the tests share."""

import keras
import numpy as np
from genkit_style.configs import StyleGAN2Config
from genkit_style.stylegan2 import StyleGAN2

from genkit.data import as_source

SMALL = {"latent_dim": 8, "base": 32, "most": 8}


def pictures(n=32, side=8, classes=0):
    """Return a source of pictures of one bright stripe each, whose place tells the class."""
    rng = np.random.default_rng(0)
    place = np.arange(n) % side
    found = rng.random((n, side, side, 3), dtype="float32") * 0.2
    found[np.arange(n), :, place] += 0.8
    arrays = {"image": found}
    if classes:
        arrays["label"] = (place % classes).astype("int32")
    return as_source(arrays)


def model(source=None, **settings):
    """Return an untrained model, the same each time."""
    keras.utils.set_random_seed(0)
    source = source or pictures()
    return StyleGAN2(StyleGAN2Config(**{**SMALL, **settings}), source.schema)
