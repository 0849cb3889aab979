"""PyTorch: what no recording can hold, for it depends on a tensor's value, and where it stands."""

from __future__ import annotations

import inspect
import os
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras
import torch
from torch.overrides import TorchFunctionMode

_LOOKS = frozenset(
    getattr(torch.Tensor, name)
    for name in (
        *("item", "tolist", "numpy", "__array__"),
        *("__bool__", "__int__", "__float__", "__index__"),
    )
)
# What they give has another size for other values; a recording would keep the first step's sizes.
_SIZED_BY_VALUES = frozenset(
    getattr(owner, name)
    for owner in (torch, torch.Tensor)
    for name in ("argwhere", "masked_select", "nonzero", "unique", "unique_consecutive")
)
_ENGINE = Path(__file__).parent
_KERAS = f"{Path(keras.__file__).parent}{os.sep}"
# Between a step and what it looks at lie frames of these folders: its author wrote none of them.
_BETWEEN = (
    _KERAS,
    *(
        f"{folder}{os.sep}"
        for folder in (
            Path(inspect.getfile(torch)).parent,
            _ENGINE,
            _ENGINE.parent / "models/training",
        )
    ),
)
_STANDARD_LIBRARY = f"{Path(os.__file__).parent}{os.sep}"


class Looks(TorchFunctionMode):
    """Refuses what a recording would keep as the first step had it: a value, or a size by values.

    Attributes:
        refused: what was refused first, and where; empty if nothing was.
    """

    refused = ""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        if func in _LOOKS:
            self._refuse(f"on its way it looks at the value of a tensor ({func.__name__})")
        if func in _SIZED_BY_VALUES or _selects(func, args):
            self._refuse(f"the size of what it computes depends on values ({func.__name__})")
        return func(*args, **(kwargs or {}))

    def _refuse(self, why: str) -> None:
        self.refused = self.refused or f"{why}, {place(traceback.extract_stack()[:-2])}"
        raise RuntimeError(self.refused)


def _selects(func: Any, args: Any) -> bool:
    """Whether a function picks those items of a tensor for which another is true."""
    if func is torch.where:
        return len(args) == 1
    if func is not torch.Tensor.__getitem__:
        return False
    index = args[1] if isinstance(args[1], tuple) else (args[1],)
    return any(isinstance(each, torch.Tensor) and each.dtype == torch.bool for each in index)


def place(frames: Iterable[traceback.FrameSummary]) -> str:
    """Name the line of a step's author that leads to a place, and Keras' own line there.

    Args:
        frames: from the outermost to the innermost.

    Returns:
        ``"at model.py:31, in keras/src/ops/numpy.py:6543"``.
    """
    in_keras = ""
    for frame in reversed(list(frames)):
        if frame.filename.startswith(_KERAS):
            inside = Path(frame.filename).relative_to(Path(_KERAS).parent)
            in_keras = in_keras or f", in {inside.as_posix()}:{frame.lineno}"
        elif not _is_between(frame.filename):
            return f"at {frame.filename}:{frame.lineno}{in_keras}"
    return f"somewhere{in_keras}"


def _is_between(filename: str) -> bool:
    if filename.startswith((*_BETWEEN, "<")):
        return True
    return filename.startswith(_STANDARD_LIBRARY) and "site-packages" not in filename
