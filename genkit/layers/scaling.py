"""Move values from one range to another, as tensors."""

from __future__ import annotations

from typing import Any

import keras


def rescale(x: Any, source: tuple[float, float], target: tuple[float, float]) -> Any:
    """Map the range ``source`` linearly onto ``target``.

    Args:
        x: tensor of any shape and numeric dtype.
        source: ``(low, high)`` that ``x`` lies in; of a constant, ``low`` goes to the target's low.
        target: ``(low, high)`` to map onto.

    Returns:
        a float32 tensor of the same shape.
    """
    factor = (target[1] - target[0]) / ((source[1] - source[0]) or 1.0)
    return (keras.ops.cast(x, "float32") - source[0]) * factor + target[0]
