"""What GenKit uses of PyTorch's inside, and of Keras' inside for PyTorch.

When a new version breaks one, ``tests/engine/test_inside.py`` says which.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

import keras
import torch
from torch.fx.experimental import proxy_tensor

# Nested tensors: what `torch.func` and the recorder themselves take inputs apart with.
from torch.utils import _pytree as pytree

__all__ = [
    "fused_adam",
    "inside_vmap",
    "keras_device",
    "pytree",
    "quick_notes",
    "schema",
    "untraced",
    "use_whole_teams",
]


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


def untraced() -> AbstractContextManager[Any]:
    """Return a context inside which a recording that is made notes nothing down."""
    context: AbstractContextManager[Any] = proxy_tensor.disable_proxy_modes_tracing()
    return context


@contextmanager
def quick_notes() -> Iterator[None]:
    """Note sizes, strides and types of what is recorded inside the block the short way.

    The recorder makes a fake mode for each tensor that it sees, and each notes down the caller's
    stack: that is a third of a recording's time. A tensor without memory tells as much.
    """
    thorough = proxy_tensor.extract_val

    def extract_val(value: Any, *arguments: Any, **options: Any) -> Any:
        if type(value) not in {torch.Tensor, torch.nn.Parameter} or value.is_sparse:
            return thorough(value, *arguments, **options)
        with torch._C.DisableTorchFunction():
            return torch.empty_strided(
                value.shape, value.stride(), dtype=value.dtype, device="meta"
            )

    proxy_tensor.extract_val = extract_val
    try:
        yield
    finally:
        proxy_tensor.extract_val = thorough


def use_whole_teams() -> bool:
    """Have OpenMP give this thread's kernels all threads they ask for; return whether it didn't.

    With ``OMP_DYNAMIC=true`` GNU's OpenMP gives fewer the busier the machine is. oneDNN splits sums
    among all it asked for, and a barrier then waits for the absent ones for ever.
    """
    folder = Path(torch.__file__).parent / "lib"
    for file in (f for name in ("libgomp*", "libiomp*", "libomp*") for f in folder.glob(name)):
        with suppress(OSError, AttributeError):  # it can't be asked
            library = ctypes.CDLL(str(file))
            if library.omp_get_dynamic():
                library.omp_set_dynamic(0)
                return True
    return False
