"""The engine: how one backend differentiates, compiles, updates and synchronises.

Nothing outside this package and ``genkit.plan.activation`` names a framework.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from genkit.engine.base import Engine

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from genkit.engine.optimized import OptimizedModel

__all__ = ["Engine", "create", "device", "gradient"]


def _engine_class() -> type[Engine]:
    import keras

    engine: type[Engine] = import_module(f"genkit.engine.{keras.config.backend()}").BackendEngine
    return engine


def create(model: OptimizedModel, kept: Mapping[str, Any] = MappingProxyType({})) -> Engine:
    """Make the engine of the active backend for a model.

    Args:
        model: a model whose networks are built and whose optimizers are named.
        kept: Keras variables beside the model's that its training keeps, by their keys.
    """
    return _engine_class()(model, kept)


def gradient(fn: Callable[[Any], Any], x: Any) -> Any:
    """Differentiate ``sum(fn(x))`` with respect to the input ``x``, on any backend.

    For a ``fn`` that treats the items of a batch independently this is each item's own gradient.
    The result can itself be differentiated: gradient penalties (Gulrajani et al. 2017, eq. 3)
    and R1 (Mescheder et al. 2018, eq. 9) are built on it.

    Args:
        fn: maps a tensor of shape ``(batch, ...)`` to a tensor of any shape.
        x: float tensor of shape ``(batch, ...)``.

    Returns:
        a tensor shaped like ``x``.
    """
    return _engine_class().input_gradient(fn, x)


def device() -> dict[str, Any]:
    """Describe the active backend's device and thread count."""
    return _engine_class().device()
