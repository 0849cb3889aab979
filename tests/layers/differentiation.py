"""Gradients of a function of tensors, whichever backend Keras runs on."""

import keras
import numpy as np
import pytest
from keras import ops


def gradient(fn):
    """Return a function with the arguments of scalar `fn` that gives its gradient for each.

    What it returns can be differentiated again by the same means.
    """
    return {"jax": _jax, "torch": _torch, "tensorflow": _tensorflow}[keras.config.backend()](fn)


def compiled(fn):
    """Compile where that is faster than running: JAX compiles even single operations."""
    if keras.config.backend() != "jax":
        return fn
    import jax

    # These programs are small and run once: compiling them is what takes the time.
    return jax.jit(fn, compiler_options={"xla_backend_optimization_level": 0})


def _jax(fn):
    import jax

    return lambda *xs: jax.grad(fn, argnums=tuple(range(len(xs))))(*xs)


def _torch(fn):
    import torch

    def differentiate(*xs):
        xs = [x if x.requires_grad else x.detach().requires_grad_() for x in xs]
        return torch.autograd.grad(fn(*xs), xs, create_graph=True, materialize_grads=True)

    return differentiate


def _tensorflow(fn):
    import tensorflow as tf

    def differentiate(*xs):
        with tf.GradientTape() as tape:
            tape.watch(xs)
            value = fn(*xs)
        return tape.gradient(value, xs, unconnected_gradients=tf.UnconnectedGradients.ZERO)

    return differentiate


def loss_of(layer):
    """Weighted sum of the output, as a function of weighting, input and weights."""

    def loss(u, x, *weights):
        # Not `stateless_call`: it passes by the casting of weights to the compute dtype.
        with keras.StatelessScope(state_mapping=zip(layer.weights, weights, strict=True)):
            y = layer(x)
        return ops.sum(ops.cast(y * u, "float32"))

    return loss


def penalty_of(layer):
    """Squared norm of all first gradients: its own gradients use every second derivative."""
    first = gradient(loss_of(layer))
    return lambda *arguments: sum(ops.sum(ops.square(g)) for g in first(*arguments))


def gradients_of(function, layer, u, x):
    """Return the gradients of a scalar ``function(u, x, *weights)`` for all its arguments."""
    values = compiled(gradient(function))(u, x, *(w.value for w in layer.trainable_weights))
    return [ops.convert_to_numpy(ops.cast(value, "float32")) for value in values]


def assert_close(ours, stock, tolerance):
    """Compare arrays, up to a share of the largest value in each."""
    for one, other in zip(ours, stock, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0, atol=tolerance * np.abs(other).max())


def assert_same_gradients(function_of, ours, stock, u, x, *, tolerance):
    """Compare the gradients of a function of each layer; skip where the stock layer has none."""
    try:
        expected = gradients_of(function_of(stock), stock, u, x)
    except Exception as error:  # noqa: BLE001 - each framework has its own
        # Which sizes TensorFlow and PyTorch refuse depends on the processor.
        pytest.skip(f"the stock layer fails on this processor: {type(error).__name__}")
    assert_close(gradients_of(function_of(ours), ours, u, x), expected, tolerance)
