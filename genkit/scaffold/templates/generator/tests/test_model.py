"""What GenKit can't know: that the model learns what it is for."""

import numpy as np
from genkit.testing.fakes import toy_schema, toy_source

from genkit_myplugin.model import DenseGAN
from genkit_myplugin.settings import DenseGANConfig


def test_training_moves_samples_towards_the_data():
    """The mean sample comes nearer to the mean image."""
    source = toy_source(toy_schema(("image",)))
    model = DenseGAN(DenseGANConfig(width=16), source.schema)
    real = source.arrays["image"].mean(axis=0)

    def distance() -> float:
        return float(np.abs(model.generate(64).mean(axis=0) - real).mean())

    before = distance()
    model.fit(source, steps=200, batch_size=32, verbose=False)
    assert distance() < before / 2
