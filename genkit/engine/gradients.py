"""What the backends share about gradients: those that are missing, and their norm."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras

from genkit.engine.keras_inside import trained_variables
from genkit.errors import UsageError


def fill_missing(name: str, gradients: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Put zeros where a framework found no gradient (None).

    Raises:
        UsageError: the loss depends on none of the variables.
    """
    if all(gradient is None for gradient in gradients):
        raise UsageError(
            f"The loss given for {name!r} depends on none of the variables that {name!r} owns.",
            "Check which networks were passed to add_optimizer.",
        )
    return [
        keras.ops.zeros_like(value) if gradient is None else gradient
        for gradient, value in zip(gradients, values, strict=True)
    ]


def refuse_batch_statistics(name: str, layers: Sequence[Any]) -> None:
    """Refuse layers through which one example's output depends on the others."""
    for layer in layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            raise UsageError(
                f"Per-example gradients need layers without batch statistics; "
                f"{name!r} has BatchNormalization ({layer.name}).",
                "Use GroupNormalization or LayerNormalization instead.",
            )


def is_plain_adam(optimizer: Any) -> bool:
    """Return whether the optimizer's rule is Adam's own, with or without weight decay."""
    adam = keras.optimizers.Adam
    return (
        isinstance(optimizer, adam)
        and type(optimizer).update_step is adam.update_step
        and not optimizer.amsgrad
        and all(v.dtype == "float32" for v in trained_variables(optimizer))
    )


def global_norm(gradients: Sequence[Any]) -> Any:
    """Return the L2 norm over all gradients together."""
    total = sum(keras.ops.sum(keras.ops.square(g)) for g in gradients)
    return keras.ops.sqrt(total)


def clip_factor(gradients: Sequence[Any], clip: float) -> Any:
    """Return what scales the gradients to a norm of at most ``clip``."""
    if not (clip > 0 and math.isfinite(clip)):
        raise UsageError(f"Expected a positive clip norm; received {clip}.")
    return keras.ops.minimum(1.0, clip / keras.ops.maximum(global_norm(gradients), 1e-12))
