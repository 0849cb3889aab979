"""What GenKit uses of PyTorch's inside, and of Keras' inside for PyTorch.

When a new version breaks one, ``tests/engine/test_inside.py`` says which.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import torch

# Nested tensors: what `torch.func` and the recorder themselves take inputs apart with.
from torch.utils import _pytree as pytree

__all__ = ["fused_adam", "inside_vmap", "keras_device", "pytree", "schema"]


def keras_device() -> str:
    """Return the device that Keras puts tensors on; what is public only tells which there are."""
    name: str = keras.src.backend.torch.core.get_device()
    return name


def inside_vmap() -> bool:
    """Whether a transform of ``torch.func`` runs: ``torch.autograd.grad`` is refused there."""
    return torch._C._functorch.peek_interpreter_stack() is not None


def fused_adam(
    values: Sequence[Any],
    gradients: Sequence[Any],
    moments: tuple[Sequence[Any], Sequence[Any]],
    steps: Sequence[Any],
    **settings: Any,
) -> None:
    """Do Adam's update of all values in one kernel.

    ``torch.optim.Adam`` ends in it too, but keeps moments of its own: these are Keras'.
    """
    torch._fused_adam_(values, gradients, *moments, [], steps, **settings)


def schema(operation: Any) -> Any:
    """Return what an operation of a recording reads and writes; no public call tells.

    Raises:
        ValueError: it is no operation of PyTorch's own.
    """
    if not isinstance(operation, torch._ops.OpOverload):
        raise ValueError(f"nothing is known about what {operation} writes")  # noqa: TRY004
    return operation._schema
