"""`genkit.layers.Dropout` does what the Keras layer does, with masks that are as random."""

import keras
import numpy as np
import pytest
from keras import ops

from genkit.layers import Dropout
from tests.layers.differentiation import gradient

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SHAPE = (50, 20, 20, 5)
# Five standard deviations of a share of 100,000 values, at most.
TOLERANCE = 5 * 0.5 / np.sqrt(np.prod(SHAPE))


def dropped(layer, x):
    return ops.convert_to_numpy(layer(x, training=True))


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.97])
def test_the_named_share_is_zero_and_the_rest_is_scaled_up(rate):
    x = np.random.default_rng(0).uniform(1, 2, SHAPE).astype("float32")
    y = dropped(Dropout(rate), x)
    assert (y == 0).mean() == pytest.approx(rate, abs=TOLERANCE)
    kept = y != 0
    np.testing.assert_allclose(y[kept], (x / (1 - rate))[kept], rtol=1e-3)


def test_neighbours_are_dropped_independently_of_each_other():
    y = dropped(Dropout(0.3), np.ones(SHAPE, "float32")).reshape(-1, 4)
    zero = y == 0
    for i in range(4):
        for j in range(i):
            both = (zero[:, i] & zero[:, j]).mean()
            assert both == pytest.approx(0.3**2, abs=2 * TOLERANCE), (i, j)


def test_each_call_drops_others():
    layer, x = Dropout(0.5), np.ones(SHAPE, "float32")
    both = (dropped(layer, x) == 0) & (dropped(layer, x) == 0)
    assert both.mean() == pytest.approx(0.25, abs=TOLERANCE)


def test_slopes_are_those_of_kept_and_of_dropped_values():
    layer = Dropout(0.5)
    x = ops.convert_to_tensor(np.ones((7, 3), "float32"))  # 21 values: not a multiple of four
    (slope,) = gradient(lambda x: ops.sum(layer(x, training=True)))(x)
    assert set(ops.convert_to_numpy(slope).ravel()) == {0.0, 2.0}


@pytest.mark.parametrize("arguments", [{"training": False}, {}])
def test_outside_training_nothing_is_dropped(arguments):
    x = np.ones((4, 5), "float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(Dropout(0.5)(x, **arguments)), x)


@pytest.mark.parametrize("rate", [0.0, 1e-7, 0.9999999])
def test_a_rate_at_the_edge_stays_finite(rate):
    y = dropped(Dropout(rate), np.ones((10, 10), "float32"))
    assert np.isfinite(y).all()
    assert (y == 0).mean() == pytest.approx(round(rate), abs=0.05)


def test_a_noise_shape_drops_whole_rows():
    y = dropped(Dropout(0.5, noise_shape=(64, 1)), np.ones((64, 10), "float32"))
    assert set((y == 0).mean(axis=1)) == {0.0, 1.0}


def test_short_floats_stay_short():
    y = Dropout(0.5, dtype="bfloat16")(np.ones((8, 8), "float32"), training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
