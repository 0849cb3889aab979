"""`genkit.layers.BatchNormalization` against the Keras layer it replaces."""

import keras
import numpy as np
import pytest
from keras import ops

from genkit.engine import kernels
from genkit.engine.collective import Collective, in_step
from genkit.layers import BatchNormalization
from tests.layers.differentiation import assert_close, assert_same_gradients, gradient

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# float32 carries 6e-8 of relative error a rounding; the sums have some two hundred terms, and on
# PyTorch Keras takes the variance as a difference of two larger numbers. 2e-6 of the largest entry
# was seen to first order, 2e-5 to second. A wrong divisor is 5e-3 or more.
TOLERANCE = 1e-4

CASES = {
    "images": {"shape": (8, 5, 4, 3)},
    "vectors": {"shape": (16, 6)},
    "sequences": {"shape": (4, 7, 3)},
    "no scale": {"shape": (8, 5, 4, 3), "scale": False},
    "no centre": {"shape": (8, 5, 4, 3), "center": False},
    "other settings": {"shape": (8, 5, 4, 3), "momentum": 0.8, "epsilon": 0.1},
    "axis by number": {"shape": (8, 5, 4, 3), "axis": 3},
    "another axis": {"shape": (8, 5, 4, 3), "axis": 1},
    "one channel": {"shape": (8, 5, 4, 1)},
}


def build_pair(*, shape, dtype=None, **arguments):
    """Return both layers with the same random weights, and an input and output weighting."""
    rng = np.random.default_rng(0)
    ours, stock = (
        kind(**arguments, dtype=dtype)
        for kind in (BatchNormalization, keras.layers.BatchNormalization)
    )
    for layer in (ours, stock):
        layer.build(shape)
    weights = [rng.uniform(0.5, 2.0, size=w.shape) for w in stock.weights]
    for layer in (ours, stock):
        layer.set_weights(weights)
    x, u = (
        ops.convert_to_tensor(rng.normal(1.0, 2.0, size=shape), dtype=stock.compute_dtype)
        for _ in range(2)
    )
    return ours, stock, x, u


def loss_of(layer):
    """Return the weighted sum of the output, as a function of weighting, input and weights."""

    def loss(u, x, *weights):
        with keras.StatelessScope(state_mapping=zip(layer.trainable_weights, weights, strict=True)):
            y = layer(x, training=True)
        return ops.sum(ops.cast(y * u, "float32"))

    return loss


def penalty_of(layer):
    """Return the squared norm of all first gradients: its gradients use every second derivative."""
    first = gradient(loss_of(layer))
    return lambda *arguments: sum(ops.sum(ops.square(g)) for g in first(*arguments))


@pytest.mark.parametrize("case", CASES)
def test_output_and_gradients_agree_with_the_stock_layer(case):
    ours, stock, x, u = build_pair(**CASES[case])
    assert_same_gradients(loss_of, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["images", "vectors"])
def test_gradients_of_gradients_agree_with_the_stock_layer(case):
    ours, stock, x, u = build_pair(**CASES[case])
    assert_same_gradients(penalty_of, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.parametrize("case", CASES)
def test_averages_and_inference_agree_with_the_stock_layer(case):
    ours, stock, x, _ = build_pair(**CASES[case])
    for layer in (ours, stock):
        layer(x, training=True)
    averages = [[ops.convert_to_numpy(w) for w in layer.weights] for layer in (ours, stock)]
    assert_close(*averages, TOLERANCE)
    assert_close(
        *([ops.convert_to_numpy(layer(x, training=False))] for layer in (ours, stock)), TOLERANCE
    )


def test_a_frozen_layer_uses_and_keeps_its_averages():
    ours, stock, x, _ = build_pair(**CASES["images"])
    before = ours.get_weights()
    for layer in (ours, stock):
        layer.trainable = False
    assert_close(
        *([ops.convert_to_numpy(layer(x, training=True))] for layer in (ours, stock)), TOLERANCE
    )
    assert_close(ours.get_weights(), before, tolerance=0)


def test_a_mean_far_from_zero_hides_no_variance():
    rng = np.random.default_rng(0)
    x = 250 + 0.1 * rng.standard_normal((64, 5, 4, 3)).astype("float32")
    layer = BatchNormalization()
    y = ops.convert_to_numpy(layer(ops.convert_to_tensor(x), training=True)).astype("float64")
    wide = x.astype("float64")
    deviation = np.sqrt(wide.var((0, 1, 2)) + layer.epsilon)
    # The mean itself is known to 250 * 6e-8 only.
    np.testing.assert_allclose(y, (wide - wide.mean((0, 1, 2))) / deviation, atol=2e-3)


def test_a_mask_is_respected():
    ours, stock, x, _ = build_pair(**CASES["sequences"])
    mask = np.arange(7)[None, :] < np.array([7, 3, 5, 1])[:, None]
    outputs = (layer(x, training=True, mask=mask) for layer in (ours, stock))
    assert_close(*([ops.convert_to_numpy(y)] for y in outputs), TOLERANCE)


def test_mixed_precision_keeps_statistics_in_float32():
    ours, stock, x, u = build_pair(**CASES["images"], dtype="mixed_bfloat16")
    assert keras.backend.standardize_dtype(ours(x, training=True).dtype) == "bfloat16"
    stock(x, training=True)
    # The averages come from float32 sums: a sum in bfloat16 would be off by 4e-3 or more.
    for one, other in zip(ours.weights[2:], stock.weights[2:], strict=True):
        assert keras.backend.standardize_dtype(one.dtype) == "float32"
        assert_close(*([ops.convert_to_numpy(w)] for w in (one, other)), TOLERANCE)
    # bfloat16 carries 4e-3 of relative error a rounding.
    assert_same_gradients(loss_of, ours, stock, u, x, tolerance=3e-2)


class Echo(Collective):
    """Two workers of which the other one has the same part of the batch."""

    apart = True

    def _summed(self, flat):
        return 2.0 * flat

    def _gathered(self, flat):
        return ops.concatenate([flat, flat])


@pytest.mark.parametrize("case", ["images", "vectors", "sequences", "no scale", "one channel"])
@pytest.mark.parametrize("function_of", [loss_of, penalty_of])
def test_workers_with_equal_parts_have_the_gradients_of_one(case, function_of):
    ours, stock, x, u = build_pair(**CASES[case])
    with in_step(Echo(0, 2)):
        assert_same_gradients(function_of, ours, stock, u, x, tolerance=TOLERANCE)
        ours(x, training=True)
    stock(x, training=True)
    for one, other in zip(ours.weights, stock.weights, strict=True):
        assert_close(*([ops.convert_to_numpy(w)] for w in (one, other)), TOLERANCE)


def test_the_frameworks_own_kernel_is_used(monkeypatch):
    ours, _, x, _ = build_pair(**CASES["images"])
    calls = []
    kernel = kernels.fastest("batch_normalization")
    monkeypatch.setattr(kernels, "fastest", lambda _: lambda *a: calls.append(a) or kernel(*a))
    ours(x, training=True)
    assert len(calls) == 1
