"""`genkit.layers.Conv2D` against the Keras layer it replaces."""

import keras
import numpy as np
import pytest
from keras import ops

from genkit.layers import Conv2D
from tests.layers.differentiation import (
    assert_close,
    assert_same_gradients,
    gradients_of,
    loss_of,
    penalty_of,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# The kernels are the same: only the order of sums may differ. A wrong pad is 1e-2 or more.
TOLERANCE = 1e-5

CASES = {
    "dcgan": {"kernel_size": 4, "strides": 2, "padding": "same"},
    "valid": {"kernel_size": 4, "strides": 2, "padding": "valid"},
    "odd kernel, same": {"kernel_size": 3, "strides": 2, "padding": "same"},
    "stride 1": {"kernel_size": 5, "strides": 1, "padding": "same"},
    "even kernel, stride 1": {"kernel_size": 2, "padding": "same"},
    "kernel below stride": {"kernel_size": 2, "strides": 3, "padding": "same"},
    "two strides": {"kernel_size": (3, 4), "strides": (2, 1), "padding": "same"},
    "dilated": {"kernel_size": 3, "dilation_rate": (2, 3), "padding": "same"},
    "groups": {"kernel_size": 3, "groups": 2, "padding": "same"},
    "few filters": {"kernel_size": (3, 2), "padding": "same", "channels": 8, "filters": 1},
    "no bias": {"kernel_size": 4, "strides": 2, "padding": "same", "use_bias": False},
    "channels first": {"kernel_size": 3, "padding": "same", "data_format": "channels_first"},
}


def build_pair(*, dtype=None, channels=2, filters=4, **arguments):
    """Return both layers with the same random weights, and an input and output weighting."""
    rng = np.random.default_rng(0)
    arguments |= {
        "filters": filters,
        "activation": "tanh",
        "kernel_initializer": "zeros",
        "dtype": dtype,
    }
    shape = (2, 6, 5, channels)
    if arguments.get("data_format") == "channels_first":
        shape = (2, channels, 6, 5)
    ours, stock = Conv2D(**arguments), keras.layers.Conv2D(**arguments)
    for layer in (ours, stock):
        layer.build(shape)
    weights = [rng.normal(scale=0.3, size=w.shape) for w in stock.weights]
    for layer in (ours, stock):
        layer.set_weights(weights)
    x = ops.convert_to_tensor(rng.normal(size=shape), dtype=stock.compute_dtype)
    u = rng.normal(size=stock.compute_output_shape(shape))
    return ours, stock, x, ops.convert_to_tensor(u, dtype=stock.compute_dtype)


@pytest.fixture(params=CASES)
def pair(request):
    if keras.config.backend() == "tensorflow" and request.param in ("channels first", "groups"):
        pytest.skip("TensorFlow on CPU has no such gradient to compare with")
    return build_pair(**CASES[request.param])


def test_output_and_gradients_agree_with_the_stock_layer(pair):
    ours, stock, x, u = pair
    assert_same_gradients(loss_of, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.slow
def test_gradients_of_gradients_agree_with_the_stock_layer(pair):
    ours, stock, x, u = pair
    assert_same_gradients(penalty_of, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_sizes_drawn_at_random_agree_with_the_stock_layer(seed):
    rng = np.random.default_rng(seed)
    stride = tuple(rng.integers(1, 5, 2).tolist())
    dilation = 1 if max(stride) > 1 else tuple(rng.integers(1, 3, 2).tolist())
    ours, stock, x, u = build_pair(
        kernel_size=tuple(rng.integers(1, 4, 2).tolist()),
        strides=stride,
        dilation_rate=dilation,
        padding=str(rng.choice(["same", "valid"])),
        channels=int(rng.integers(1, 10)),
        filters=int(rng.integers(1, 4)),
    )
    assert_same_gradients(loss_of, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.slow
@pytest.mark.parametrize("case", ["dcgan", "few filters"])
def test_mixed_bfloat16_computes_in_bfloat16_and_keeps_float32_weights(case):
    ours, _, x, u = build_pair(**CASES[case], dtype="mixed_bfloat16")
    _, exact, _, _ = build_pair(**CASES[case])
    assert keras.backend.standardize_dtype(ours(x).dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(ours.kernel.dtype) == "float32"
    wide = (ops.cast(tensor, "float32") for tensor in (u, x))
    # bfloat16 carries 4e-3 of relative error a rounding.
    assert_close(
        gradients_of(loss_of(ours), ours, u, x),
        gradients_of(loss_of(exact), exact, *wide),
        tolerance=2e-2,
    )
