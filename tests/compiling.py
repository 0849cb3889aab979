"""XLA with hardly any optimisation, for tests of behaviour: it compiles in a quarter of the time.

What a test computes for a moment need not be computed fast. Numbers of two settings are never
compared: engine, layers, parity and resume are compiled as for a user.
"""

import os
from contextlib import contextmanager

FAST = "JAX_DISABLE_MOST_OPTIMIZATIONS"
"""The variable that says so; JAX reads it as it is imported."""


@contextmanager
def compiled_fast(backend):
    """Compile fast what this process computes; other backends compile nothing so long."""
    if backend != "jax" or os.environ.get(FAST):
        yield
        return
    import jax

    _set_fast(True)
    try:
        yield
    finally:
        _set_fast(False)
        jax.clear_caches()  # what comes after is compiled as for a user


def heed_variable():
    """Do as the variable says in a process that had imported JAX before it was set."""
    _set_fast(os.environ.get(FAST) == "1")


def _set_fast(fast):
    import jax

    jax.config.update(FAST.lower(), fast)
