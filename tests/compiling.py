"""XLA without optimisation, for tests of behaviour: it compiles in half the time.

What a test computes for a moment need not be computed fast. Numbers of two settings are never
compared: engine, layers, parity and resume are compiled as for a user.
"""

from contextlib import contextmanager

import pytest

FLAG = "--xla_backend_optimization_level=0"  # for XLA_FLAGS, which are read as JAX starts


@contextmanager
def compiled_fast(backend):
    """Compile fast what models of this process compute; other backends compile nothing so long."""
    with pytest.MonkeyPatch.context() as patch:
        if backend == "jax":
            name, _, value = FLAG.removeprefix("--").partition("=")
            patch.setattr("genkit.engine.jax.compiler_options", lambda: {name: value})
        yield
