"""What a batch may hold: checked where it enters the engine, the same for all backends.

Each backend has its own way with what doesn't fit. JAX cuts 64-bit integers to 32 bits without a
word, TensorFlow keeps them and refuses to mix, and all fail far away where they find text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genkit.errors import DataError

_WIDE = 8  # bytes of a number that no backend computes with by default
_NAMES = {"O": "text or objects", "S": "text", "U": "text", "M": "dates", "m": "durations"}


def checked_batch(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return a batch in the dtypes that every backend computes with, of 32 bits at most.

    Args:
        batch: arrays by name, one axis of them the items; or scalars. What is a tensor already
            stays as it is.

    Returns:
        float64 as float32, and integers of 64 bits as int32; all else as it is.

    Raises:
        DataError: with the name of what is no array of numbers, or holds integers that 32 bits
            don't hold.
    """
    return {name: _checked(name, value) for name, value in batch.items()}


def _checked(name: str, value: Any) -> Any:
    dtype = getattr(value, "dtype", None)
    if not isinstance(dtype, np.dtype):
        if isinstance(value, (str, bytes, Mapping, list, tuple)):
            raise _refused(name, type(value).__name__)
        return value
    if dtype.kind in _NAMES:
        raise _refused(name, _NAMES[dtype.kind])
    if dtype.itemsize < _WIDE or dtype.kind not in "iuf":
        return value
    if dtype.kind == "f":
        return value.astype(np.float32)
    bounds = np.iinfo(np.int32)
    if value.size and not bounds.min <= value.min() <= value.max() <= bounds.max:
        raise DataError(
            f"Expected integers of 32 bits in the batch's {name!r}; received {value.min()} to "
            f"{value.max()}, which no backend computes with.",
            "Encode them, in the data or in the model's examples(): as numbers of classes, or "
            "as float32.",
        )
    return value.astype(np.int32)


def _refused(name: str, received: str) -> DataError:
    return DataError(
        f"Expected numbers in the batch's {name!r}; received {received}, which networks can't "
        "compute with.",
        "Encode it as numbers, in the data or in the model's examples(), or leave it out.",
    )
