"""What GenKit can't know: that the model learns what it is for."""

import keras
import numpy as np
from genkit.data import as_source

from genkit_myplugin.model import DenseGAN
from genkit_myplugin.settings import DenseGANConfig


def test_of_bright_images_it_learns_to_make_bright_ones():
    """Untrained it makes gray images, about 128; the data are between 200 and 255."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    source = as_source(rng.integers(200, 256, (64, 8, 8, 1), dtype="uint8"))
    model = DenseGAN(DenseGANConfig(width=16, learning_rate=2e-3), source.schema)
    assert model.generate(64).mean() < 160
    model.fit(source, steps=200, batch_size=32, verbose=False)
    assert model.generate(64).mean() > 190
