"""Numbers of classes or codes as vectors with a single one, as tensors."""

from __future__ import annotations

from typing import Any

from keras import ops


def one_hot(numbers: Any, size: int) -> Any:
    """Write each number as a vector that is 1 at its place and 0 elsewhere.

    Unlike Keras' own it never looks at a value, so on PyTorch a step with it can be recorded.

    Args:
        numbers: int32 tensor of shape ``(...)``, from 0 to ``size - 1``.
        size: length of the vectors.

    Returns:
        float32 tensor of shape ``(..., size)``.
    """
    places = ops.arange(size, dtype="int32")
    return ops.cast(ops.expand_dims(numbers, -1) == places, "float32")
