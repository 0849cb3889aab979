"""PyTorch: a look at a tensor's value, which no recording can hold, and where it was taken."""

from __future__ import annotations

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
_ENGINE = Path(__file__).parent
_KERAS = f"{Path(keras.__file__).parent}{os.sep}"
# Between a step and what it looks at lie frames of these folders: its author wrote none of them.
_BETWEEN = (
    _KERAS,
    *(
        f"{folder}{os.sep}"
        for folder in (Path(torch.__file__).parent, _ENGINE, _ENGINE.parent / "models/training")
    ),
)
_STANDARD_LIBRARY = f"{Path(os.__file__).parent}{os.sep}"


class Looks(TorchFunctionMode):
    """Refuses whatever takes a tensor's value out: a recording would keep the first step's.

    Attributes:
        refused: what was refused first, and where; empty if nothing was.
    """

    refused = ""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        del types
        if func in _LOOKS:
            self.refused = self.refused or (
                f"on its way it looks at the value of a tensor ({func.__name__}), "
                f"{place(traceback.extract_stack()[:-1])}"
            )
            raise RuntimeError(f"A recorded step looked at a tensor: {func.__name__}.")
        return func(*args, **(kwargs or {}))


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
