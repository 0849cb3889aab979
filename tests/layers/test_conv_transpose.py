"""`genkit.layers.Conv2DTranspose` against the Keras layer it replaces."""

import keras
import numpy as np
import pytest
from keras import ops

from genkit.engine import kernels
from genkit.layers import Conv2DTranspose
from tests.layers.differentiation import (
    assert_close,
    assert_same_gradients,
    compiled,
    gradient,
    gradients_of,
    loss_of,
    penalty_of,
)

# Keras 3.15 on NumPy 2 warns whenever it turns one of its own variables into an array.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# float32 carries 6e-8 of relative error a rounding. The sums here have up to a few hundred terms,
# second derivatives chain five of them, and the two layers add in different orders: 8e-7 of the
# largest entry was seen to second order, 6e-6 beyond. A wrong tap, crop or sign is 1e-2 or more.
TOLERANCE = 1e-5

CASES = {
    "dcgan": {"kernel_size": 4, "strides": 2, "padding": "same"},
    "valid": {"kernel_size": 4, "strides": 2, "padding": "valid"},
    "odd kernel, same": {"kernel_size": 3, "strides": 2, "padding": "same"},
    "odd kernel, valid": {"kernel_size": 5, "strides": 2, "padding": "valid"},
    "kernel 5, stride 3": {"kernel_size": 5, "strides": 3, "padding": "same"},
    "kernel below stride, same": {"kernel_size": 2, "strides": 3, "padding": "same"},
    "kernel below stride, valid": {"kernel_size": 1, "strides": 2, "padding": "valid"},
    "output padding 0": {"kernel_size": 5, "strides": 2, "padding": "same", "output_padding": 0},
    "output padding, same": {
        "kernel_size": (4, 3),
        "strides": (3, 2),
        "padding": "same",
        "output_padding": (2, 1),
    },
    "output padding, valid": {
        "kernel_size": 3,
        "strides": 2,
        "padding": "valid",
        "output_padding": 1,
    },
    "one stride of two": {"kernel_size": (3, 4), "strides": (2, 1), "padding": "same"},
    "many taps": {"kernel_size": (10, 7), "strides": (4, 3), "padding": "same"},
    "stride 1": {"kernel_size": 3, "strides": 1, "padding": "valid"},
    "dilated": {"kernel_size": 3, "dilation_rate": (2, 3), "padding": "same"},
    "single channels": {"kernel_size": 4, "strides": 2, "padding": "same", "channels": 1},
    "no bias": {"kernel_size": 4, "strides": 2, "padding": "same", "use_bias": False},
    "channels first": {
        "kernel_size": 4,
        "strides": 2,
        "padding": "same",
        "data_format": "channels_first",
    },
}


def build_pair(*, channels=3, dtype=None, **arguments):
    """Both layers with the same random weights, and an input and an output weighting for them."""
    filters = 1 if channels == 1 else 4
    # Zeros because JAX compiles a random initializer anew for every shape.
    arguments |= {"filters": filters, "activation": "tanh", "kernel_initializer": "zeros"}
    arguments |= {"dtype": dtype}
    shape = (2, 5, 4, channels)
    if arguments.get("data_format") == "channels_first":
        shape = (2, channels, 5, 4)
    rng = np.random.default_rng(0)
    ours, stock = Conv2DTranspose(**arguments), keras.layers.Conv2DTranspose(**arguments)
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
    arguments = CASES[request.param]
    if "data_format" in arguments and keras.config.backend() == "tensorflow":
        pytest.skip("TensorFlow on CPU has no channels-first gradient to compare with")
    return build_pair(**arguments)


@pytest.mark.slow
def test_output_and_gradients_agree_with_the_stock_layer(pair):
    ours, stock, x, u = pair
    assert_same_gradients(loss_of, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.slow
def test_gradients_of_gradients_agree_with_the_stock_layer(pair):
    ours, stock, x, u = pair
    assert_same_gradients(penalty_of, ours, stock, u, x, tolerance=TOLERANCE)


# Not seed 2: a kernel of (6, 2) with strides (1, 2) makes XLA abort on the stock layer (jax 0.10).
@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 3, 4, 5, 6, 7])
def test_sizes_drawn_at_random_agree_with_the_stock_layer(seed):
    rng = np.random.default_rng(seed)
    kernel, stride = rng.integers(1, 7, 2).tolist(), rng.integers(1, 5, 2).tolist()
    arguments = {
        "kernel_size": tuple(kernel),
        "strides": tuple(stride),
        "padding": str(rng.choice(["same", "valid"])),
        "channels": int(rng.integers(1, 6)),
    }
    if max(stride) > 1 and rng.random() < 0.5:
        arguments["output_padding"] = tuple(int(rng.integers(0, s)) for s in stride)
    elif max(stride) == 1:
        arguments["dilation_rate"] = int(rng.integers(1, 4))
    ours, stock, x, u = build_pair(**arguments)
    assert_same_gradients(loss_of, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.slow
def test_third_order_agrees_with_the_stock_layer():
    ours, stock, x, u = build_pair(**CASES["dcgan"])

    def squared_norm(layer):
        second = gradient(penalty_of(layer))
        return lambda *arguments: sum(ops.sum(ops.square(g)) for g in second(*arguments))

    assert_same_gradients(squared_norm, ours, stock, u, x, tolerance=TOLERANCE)


@pytest.mark.slow
def test_mixed_bfloat16_computes_in_bfloat16_and_keeps_float32_weights():
    ours, _, x, u = build_pair(**CASES["dcgan"], dtype="mixed_bfloat16")
    _, exact, _, _ = build_pair(**CASES["dcgan"])
    assert keras.backend.standardize_dtype(ours(x).dtype) == "bfloat16"
    assert keras.backend.standardize_dtype(ours.kernel.dtype) == "float32"
    wide = (ops.cast(tensor, "float32") for tensor in (u, x))
    # bfloat16 carries 4e-3 of relative error a rounding.
    assert_close(
        gradients_of(loss_of(ours), ours, u, x),
        gradients_of(loss_of(exact), exact, *wide),
        tolerance=2e-2,
    )


def test_the_stock_layer_serves_where_no_better_kernel_is_known(monkeypatch):
    monkeypatch.setattr(kernels, "fastest", lambda _: None)
    ours, stock, x, _ = build_pair(**CASES["dcgan"])
    np.testing.assert_array_equal(*(ops.convert_to_numpy(layer(x)) for layer in (ours, stock)))


@pytest.mark.skipif(keras.config.backend() != "jax", reason="the lowering is XLA's")
@pytest.mark.parametrize("case", ["dcgan", "many taps"])
def test_no_derivative_to_second_order_dilates_its_input(case):
    """XLA's CPU backend runs a convolution with a dilated input as a scalar loop."""
    import jax

    def program(layer):
        weights = (w.value for w in layer.weights)
        return str(jax.make_jaxpr(gradient(penalty_of(layer)))(u, x, *weights))

    ours, stock, x, u = build_pair(**CASES[case])
    undilated = "lhs_dilation=(1, 1)"
    assert program(stock).count("lhs_dilation=") > program(stock).count(undilated)
    assert program(ours).count("lhs_dilation=") == program(ours).count(undilated)


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() != "jax", reason="vmap is JAX's")
def test_per_example_gradients_sum_to_the_gradient_of_the_batch():
    import jax

    ours, _, x, u = build_pair(**CASES["dcgan"])
    weights = [w.value for w in ours.weights]
    one = gradient(lambda u, x, *w: loss_of(ours)(u[None], x[None], *w))
    each = compiled(jax.vmap(one, in_axes=(0, 0, None, None)))(u, x, *weights)
    batch = compiled(gradient(loss_of(ours)))(u, x, *weights)
    assert_close(
        [np.sum(g, axis=0) for g in each[2:]], [np.asarray(g) for g in batch[2:]], TOLERANCE
    )


def test_a_saved_model_comes_back_the_same(tmp_path):
    layer = Conv2DTranspose(
        3, (4, 5), strides=2, padding="same", output_padding=1, use_bias=False, activation="relu"
    )
    model = keras.Sequential([keras.Input((5, 4, 2)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[0]) is Conv2DTranspose
    assert loaded.layers[0].get_config() == layer.get_config()
    x = np.random.default_rng(0).normal(size=(3, 5, 4, 2)).astype("float32")
    np.testing.assert_array_equal(*(ops.convert_to_numpy(m(x)) for m in (loaded, model)))


def test_weights_of_the_stock_layer_load(tmp_path):
    def model(kind):
        return keras.Sequential([keras.Input((None, None, 2)), kind(3, 4, strides=2)])

    stock, ours = model(keras.layers.Conv2DTranspose), model(Conv2DTranspose)
    stock.save_weights(tmp_path / "stock.weights.h5")
    ours.load_weights(tmp_path / "stock.weights.h5")
    assert [w.name for w in ours.weights] == [w.name for w in stock.weights]
    x = np.random.default_rng(0).normal(size=(3, 5, 4, 2)).astype("float32")
    assert_close(*([ops.convert_to_numpy(model(x))] for model in (ours, stock)), TOLERANCE)
