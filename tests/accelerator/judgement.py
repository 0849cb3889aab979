"""How far the losses of two devices are apart, and how far they may be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

BANDS = {1: 1e-3, 5: 1e-2}
"""Up to which step losses may differ by how much, relative above 1.

A GPU may multiply float32 in 10 bits of mantissa (TF32), as PyTorch's convolutions and JAX's and
TensorFlow's products do by default: 2**-11 in each product. What comes after is told, not judged.
"""


def differences(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Return, for each model, the largest difference of its losses up to each step of ``BANDS``.

    Args:
        ours: losses of one device, by model and name, a list of a number a step.
        theirs: the same of another device.

    Returns:
        by model: ``first`` by step, ``all`` over all steps, and ``agrees``: within all bands, and
        every loss of both is a finite number.
    """
    found = {}
    for model in ours:
        columns = [(ours[model][name], theirs[model][name]) for name in ours[model]]
        rows = [
            max(_difference(a[step], b[step]) for a, b in columns)
            for step in range(len(columns[0][0]))
        ]
        first = {step: max(rows[:step]) for step in BANDS}
        agrees = all(first[step] <= band for step, band in BANDS.items())
        found[model] = {
            "first": {str(step): value for step, value in first.items()},
            "all": max(rows),
            "agrees": agrees and all(map(math.isfinite, rows)),
        }
    return found


def _difference(a: float, b: float) -> float:
    apart = abs(a - b) / max(1.0, abs(b))
    return apart if math.isfinite(apart) else math.inf
