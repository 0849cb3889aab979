"""`genkit.layers.SpectralNormalization` stretches nothing by more than one."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from genkit.layers import Conv2D, SpectralNormalization
from tests.layers.differentiation import gradient

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def built(layer, shape):
    wrapped = SpectralNormalization(layer)
    wrapped.build(shape)
    rng = np.random.default_rng(0)
    for variable in layer.weights:
        variable.assign(rng.normal(size=variable.shape))
    return wrapped


def settled(layer, x):
    for _ in range(50):
        layer(x, training=True)
    return layer


CASES = {
    "dense": (lambda: layers.Dense(5), (4, 7)),
    "dense without bias": (lambda: layers.Dense(5, use_bias=False), (4, 7)),
    "convolution": (lambda: Conv2D(6, 3, strides=2, padding="same"), (2, 8, 8, 3)),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_after_some_steps_the_kernel_is_divided_by_its_largest_singular_value(case):
    make, shape = CASES[case]
    inner = make()
    x = np.random.default_rng(1).normal(size=shape).astype("float32")
    layer = settled(built(inner, shape), x)
    kernel = ops.convert_to_numpy(inner.kernel)
    sigma = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2)
    bias = ops.convert_to_numpy(inner.bias) if inner.use_bias else 0.0
    expected = (ops.convert_to_numpy(inner(x)) - bias) / sigma + bias
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_the_kernel_stays_as_the_optimizer_left_it():
    inner = layers.Dense(5)
    layer = built(inner, (4, 7))
    before = ops.convert_to_numpy(inner.kernel)
    settled(layer, np.ones((4, 7), "float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(inner.kernel), before)


def test_only_training_moves_the_estimate():
    layer = built(layers.Dense(5), (4, 7))
    x = np.ones((4, 7), "float32")
    before = ops.convert_to_numpy(layer.u)
    layer(x)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.u), before)
    layer(x, training=True)
    assert not np.array_equal(ops.convert_to_numpy(layer.u), before)
    assert [v.path for v in layer.trainable_variables] == [
        v.path for v in layer.layer.trainable_variables
    ]


@pytest.mark.slow
def test_the_gradient_is_that_of_the_divided_kernel():
    """Miyato et al. 2018, equation 10: dL/dW = (G - (G . W / sigma) v u^T) / sigma."""
    inner = layers.Dense(5, use_bias=False)
    layer = settled(built(inner, (4, 7)), np.ones((4, 7), "float32"))
    rng = np.random.default_rng(2)
    x, weights = (rng.normal(size=s).astype("float32") for s in ((4, 7), (4, 5)))
    kernel = ops.convert_to_numpy(inner.kernel)

    def loss(value):
        with keras.StatelessScope(state_mapping=[(inner.kernel, value)]):
            return ops.sum(layer(ops.convert_to_tensor(x)) * ops.convert_to_tensor(weights))

    (found,) = gradient(loss)(ops.convert_to_tensor(kernel))
    left, singular, right = np.linalg.svd(kernel)
    sigma, direction = singular[0], np.outer(left[:, 0], right[0])
    plain = x.T @ weights
    expected = (plain - (plain * kernel).sum() / sigma * direction) / sigma
    np.testing.assert_allclose(ops.convert_to_numpy(found), expected, rtol=1e-3, atol=1e-3)


def test_a_layer_with_an_activation_is_refused():
    with pytest.raises(ValueError, match="without activation"):
        SpectralNormalization(layers.Dense(5, activation="relu"))


def test_it_comes_back_from_its_config():
    layer = built(layers.Dense(5), (4, 7))
    again = SpectralNormalization.from_config(layer.get_config())
    again.build((4, 7))
    again.set_weights(layer.get_weights())
    x = np.ones((4, 7), "float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(again(x)), ops.convert_to_numpy(layer(x)))
