"""Metrics on arrays: fixed features in place of an extractor, streams in batches."""

import numpy as np

from genkit.evaluation import Batch, Context
from genkit.evaluation.extractors import ImageExtractor, open_extractor
from genkit.plugins.specs import Field, Schema


class Given(ImageExtractor):
    """Items that are features already, flattened; or class probabilities."""

    name = "given"
    digest = "0"
    resize = "none"

    def __init__(self, classes=(), image=None):
        image = image or Field((8, 8, 1), "float32", "image", (0, 1))
        super().__init__(Schema({"image": image}), "image")
        self.classes = tuple(classes)

    def features(self, items):
        return items.reshape(len(items), -1)

    def probabilities(self, items):
        return items


def opened(name, image):
    """Open an extractor for images of this form."""
    return open_extractor(name, Schema({"image": image}), "image")


def context(schema=None, extractor=None, **settings):
    schema = schema or Schema({"image": Field((8, 8, 1), "float32", "image", (0, 1))})
    return Context(schema, extractor or Given(), **settings)


def batches(items, extractor=None, labels=None, size=64):
    for start in range(0, len(items), size):
        rows = slice(start, start + size)
        yield Batch(items[rows], extractor or Given(), None if labels is None else labels[rows])


def measured(metric, labels=None, size=64, **streams):
    """Show a metric its streams, and give its figures by name."""
    extractor = metric.context.extractor
    for stream, items in streams.items():
        for batch in batches(items, extractor, (labels or {}).get(stream), size):
            metric.update(stream, batch)
    return {figure.name: figure for figure in metric.compute()}


def gaussians(seed, n, dim=8, shift=0.0, scale=1.0):
    rng = np.random.default_rng(seed)
    return (shift + scale * rng.standard_normal((n, dim))).astype("float32")


def digits():
    """The 8x8 digits, from 0 to 1, and their labels."""
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.images / 16).astype("float32")[..., None], found.target
