"""Gradients of a function of tensors, whichever backend Keras runs on."""

import keras


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
