"""What an engine needs of a model: its named optimizers, and what each of them owns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import keras


class OptimizedModel(Protocol):
    """A Keras model with named optimizers, such as ``genkit.Model``."""

    optimizers: dict[str, Any]

    @property
    def weight_averages(self) -> Mapping[str, Any]:
        """Averages of variables, whose ``pairs`` are part of the training's state, by optimizer."""

    def owned_variables(self, name: str) -> list[Any]:
        """List the trainable variables that a named optimizer owns."""

    def owned_layers(self, name: str) -> list[Any]:
        """List every layer, however deep, of the networks that a named optimizer owns."""


class OptimizerGroup:
    """Several optimizers, as ``model.optimizer`` offers them to Keras callbacks.

    Callbacks that change the learning rate look for ``optimizers`` and treat each in turn.

    Args:
        optimizers: at least one.
    """

    def __init__(self, optimizers: Sequence[Any]) -> None:
        self.optimizers = list(optimizers)

    @property
    def iterations(self) -> Any:
        """Updates done by the first optimizer."""
        return self.optimizers[0].iterations


def for_precision(optimizer: Any, layers: Sequence[Any]) -> Any:
    """Return what updates these layers: where one computes in float16, it scales the loss.

    Small gradients survive float16 so (Micikevicius et al. 2018, "Mixed Precision Training").
    """
    in_float16 = any(layer.compute_dtype == "float16" for layer in layers)
    if not in_float16 or isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)
