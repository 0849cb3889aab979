"""`genkit.layers.LayerNormalization` and `gelu` against what Keras computes."""

import keras
import numpy as np
import pytest
from keras import ops

from genkit.engine import kernels
from genkit.layers import LayerNormalization, gelu
from tests.layers.differentiation import (
    assert_close,
    assert_same_gradients,
    compiled,
    gradient,
    loss_of,
    penalty_of,
)

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

# float32 carries 6e-8 a rounding, and a mean has 40 terms; a wrong term of a gradient is 1e-2.
TOLERANCE = 2e-5
CASES = {
    "sequences": {},
    "no scale": {"scale": False},
    "no centre": {"center": False},
    "another epsilon": {"epsilon": 0.3},
    "two axes": {"axis": [1, 2]},
}


def pair(dtype=None, **arguments):
    """Return both layers with the same random weights, a weighting and an input."""
    rng = np.random.default_rng(0)
    kinds = (LayerNormalization, keras.layers.LayerNormalization)
    ours, stock = (kind(**arguments, dtype=dtype) for kind in kinds)
    for layer in (ours, stock):
        layer.build((4, 7, 40))
    weights = [rng.uniform(0.5, 2.0, size=w.shape) for w in stock.weights]
    for layer in (ours, stock):
        layer.set_weights(weights)
    u, x = (rng.normal(1.0, 2.0, size=(4, 7, 40)) for _ in range(2))
    return ours, stock, *(ops.convert_to_tensor(each, stock.compute_dtype) for each in (u, x))


@pytest.mark.parametrize("case", CASES)
def test_the_layer_and_its_gradients_are_those_of_keras(case):
    ours, stock, u, x = pair(**CASES[case])
    assert_close(*([ops.convert_to_numpy(layer(x))] for layer in (ours, stock)), TOLERANCE)
    assert_same_gradients(loss_of, ours, stock, u, x, tolerance=TOLERANCE)


def test_the_layers_gradients_of_gradients_are_those_of_keras():
    ours, stock, u, x = pair()
    assert_same_gradients(penalty_of, ours, stock, u, x, tolerance=10 * TOLERANCE)


@pytest.mark.parametrize("short", ["bfloat16", "float16"])
def test_in_short_types_the_layer_computes_in_float32(short):
    ours, _, _, x = pair(dtype=f"mixed_{short}")
    assert keras.backend.standardize_dtype(ours(x).dtype) == short
    wide = LayerNormalization(dtype="float32")
    wide.build(x.shape)
    wide.set_weights(ours.get_weights())
    exact = ops.convert_to_numpy(wide(ops.cast(x, "float32")))
    found = ops.convert_to_numpy(ops.cast(ours(x), "float32"))
    # One rounding of what comes out.
    assert_close([found], [exact], {"bfloat16": 4e-3, "float16": 5e-4}[short])


def values(count=101):
    return ops.convert_to_tensor(np.linspace(-6, 6, count, dtype="float32"))


def keras_gelu(x):
    return ops.gelu(x, approximate=False)


def first(function):
    return gradient(lambda x: ops.sum(function(x)))


def second(function):
    return gradient(lambda x: ops.sum(ops.square(first(function)(x)[0])))


@pytest.mark.parametrize("of", [first, second])
def test_gelu_and_its_gradients_are_those_of_keras(of):
    x = values()
    ours, theirs = ([ops.convert_to_numpy(f(x))] for f in (gelu, keras_gelu))
    assert_close(ours, theirs, 1e-6)
    ours, theirs = ([ops.convert_to_numpy(compiled(of(f))(x)[0])] for f in (gelu, keras_gelu))
    assert_close(ours, theirs, 1e-5)


def test_gelu_keeps_a_short_type():
    short = ops.cast(values(), "bfloat16")
    found = gelu(short)
    assert keras.backend.standardize_dtype(found.dtype) == "bfloat16"
    exact = ops.convert_to_numpy(keras_gelu(ops.cast(short, "float32")))
    assert_close([ops.convert_to_numpy(ops.cast(found, "float32"))], [exact], 1e-2)


@pytest.mark.skipif(keras.config.backend() == "torch", reason="PyTorch's own are as fast")
@pytest.mark.parametrize("name", ["exact_gelu", "layer_normalization"])
def test_the_kernel_is_used(monkeypatch, name):
    kernel, calls = kernels.fastest(name), []
    monkeypatch.setattr(kernels, "fastest", lambda _: lambda *a: calls.append(a) or kernel(*a))
    if name == "exact_gelu":
        gelu(values())
    else:
        pair()[0](pair()[3])
    assert len(calls) == 1
