"""What GenKit can't know: that the interval says how sure the figure is."""

import numpy as np
import pytest
from genkit.errors import DataError
from genkit.evaluation import Batch, Context
from genkit.testing.fakes import toy_schema

from genkit_myplugin.metric import BrightnessGap


def measure(generated, real):
    """Show the metric two streams; give its figure."""
    metric = BrightnessGap(Context(toy_schema(("image",))))
    metric.update("generated", Batch(generated))
    metric.update("real", Batch(real))
    (figure,) = metric.compute()
    return figure


def images(seed, n, highest=256):
    """Return images of uniform noise."""
    return np.random.default_rng(seed).integers(0, highest, (n, 8, 8, 1), dtype="uint8")


def test_of_equal_distributions_no_gap_is_within_the_interval():
    """Two draws of one kind of noise can't be told apart."""
    assert measure(images(0, 200), images(1, 200)).low == 0


def test_more_images_give_a_narrower_interval():
    """Four times as many, about half as wide."""
    few = measure(images(0, 100), images(1, 100, highest=128))
    many = measure(images(0, 400), images(1, 400, highest=128))
    assert few.low < 0.25 < few.high
    assert many.high - many.low < 0.7 * (few.high - few.low)


def test_too_few_images_are_refused():
    """One image has no spread."""
    with pytest.raises(DataError, match="received 1 and 5"):
        measure(images(0, 1), images(1, 5))
