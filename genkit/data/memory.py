"""Bounds on memory: what a file asks for is compared with what there is before it is taken."""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from genkit.errors import RunError

_FALLBACK_BYTES = 16 << 30
_BYTES_A_WEIGHT = 16  # the weight, its gradient and two moments, four bytes each
_watching = threading.RLock()


def machine_bytes() -> int:
    """Return the size of this machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return _FALLBACK_BYTES


def machine_holds() -> int:
    """Return how many weights could be trained in this machine's memory."""
    return machine_bytes() // _BYTES_A_WEIGHT


@contextmanager
def bounded_weights(at_most: int, *, blank: bool = False) -> Iterator[None]:
    """Refuse, inside the block, to build Keras layers with more weights than that.

    Every weight of a layer comes from ``Layer.add_weight``, which is watched meanwhile. It is the
    whole process's: one thread at a time watches it, and counts its own weights alone.

    Args:
        at_most: how many weights there may be.
        blank: let all be zero. Those that a file is going to replace need no first values: JAX
            compiles a program for each shape of random ones, some seconds for a small model.

    Raises:
        RunError: the weights would be more; the one too many has taken no memory.
    """
    import keras

    builder = threading.get_ident()
    total = 0

    def add_weight(
        self: Any, shape: Any = None, initializer: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        nonlocal total
        if threading.get_ident() == builder:
            total += math.prod(shape if isinstance(shape, (tuple, list)) else (shape or 1,))
            if total > at_most:
                raise RunError(
                    f"The model asks for {total:,} weights or more; there is room for {at_most:,}.",
                    "Check its settings: a file that names them may be damaged, or a stranger's.",
                )
            if blank:
                initializer = "zeros"
        return original(self, shape, initializer, *args, **kwargs)

    with _watching:
        original = keras.Layer.add_weight
        keras.Layer.add_weight = add_weight
        try:
            yield
        finally:
            keras.Layer.add_weight = original
