"""The data set: a config in, a source out."""

import numpy as np

from genkit.data import as_source


def open_rings(config):
    """Open the points: field `vector`, float32, shape `(2,)`."""
    rng = np.random.default_rng(config.seed)
    angle = rng.uniform(0, 2 * np.pi, config.points)
    radius = rng.integers(1, config.rings + 1, config.points)
    radius = radius + rng.normal(0, config.spread, config.points)
    return as_source(np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1))
