"""What a training step takes and gives: a loss with its logs, a batch with a schedule's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

LossFn = Callable[..., Any]
StepFn = Callable[[Any], dict[str, Any]]
Static = tuple[tuple[str, Any], ...]


def split_loss(result: Any) -> tuple[Any, dict[str, Any]]:
    """Take a loss function's result, ``loss`` or ``(loss, logs)``, apart."""
    if isinstance(result, tuple):
        loss, logs = result
        return loss, dict(logs)
    return result, {}


def split_schedule(values: Mapping[str, Any]) -> tuple[Static, dict[str, np.float32]]:
    """Split a schedule's values into what chooses a compiled variant and what is an input."""
    static = tuple(
        sorted((k, v) for k, v in values.items() if not isinstance(v, (float, np.floating)))
    )
    inputs = {k: np.float32(v) for k, v in values.items() if isinstance(v, (float, np.floating))}
    return static, inputs


def merge(batch: Any, extra: Mapping[str, Any]) -> Any:
    """Add values to a batch, or to each batch of a tuple."""
    if isinstance(batch, tuple):
        return tuple({**b, **extra} for b in batch)
    return {**batch, **extra}
