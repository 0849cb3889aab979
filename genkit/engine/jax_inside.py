"""What GenKit uses of JAX's inside.

When a new version breaks it, ``tests/engine/test_inside.py`` says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from jax._src.lib import _jax


@contextmanager
def gloo_at(host: str) -> Iterator[None]:
    """Have the sums between processors, if they come to be inside the block, use an address.

    By default Gloo takes the one that this machine's name stands for, which on many is 127.0.0.1:
    workers on other machines would look for this one on their own.

    Args:
        host: an address of this machine that the others reach.
    """
    own = _jax.make_gloo_tcp_collectives
    _jax.make_gloo_tcp_collectives = partial(own, hostname=host)
    try:
        yield
    finally:
        _jax.make_gloo_tcp_collectives = own
