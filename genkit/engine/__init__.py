"""The engine: how one backend differentiates, compiles, updates and synchronises.

Nothing outside this package and ``genkit.plan.activation`` names a framework.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from genkit.engine.base import Engine
from genkit.engine.collective import ALONE, Collective, join, of_this_process, workers
from genkit.errors import RunError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from genkit.engine.optimized import OptimizedModel

__all__ = [
    "Collective",
    "Engine",
    "connect",
    "create",
    "device",
    "disconnect",
    "gradient",
    "loop",
    "of_this_process",
    "workers",
]


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


def connect(
    rank: int, size: int, exchange: Callable[[Any], list[Any]], addresses: list[str]
) -> Collective:
    """Make this process one of several workers, before anything is computed in it.

    Args:
        rank: which worker it is, from 0 on.
        size: how many there are.
        exchange: hands a value, of what JSON can hold, to all workers and returns those of all.
        addresses: ``host:port`` of each worker; a port that is free there.

    Returns:
        the workers; engines that are made from now on know them.

    Raises:
        RunError: they don't find each other, or something was computed.
    """
    try:
        collective = _engine_class().connect(rank, size, exchange, addresses)
    except RuntimeError as error:
        told = " ".join(str(error).split())
        raise RunError(
            f"The workers can't be connected: {told}",
            "Start each in a process in which nothing was computed before.",
        ) from error
    join(collective)
    return collective


def disconnect() -> None:
    """Leave the other workers, when all have ended."""
    of_this_process().close()
    join(ALONE)


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


def loop(
    step: Callable[[Any, Any], Any],
    state: Any,
    steps: Any = None,
    until: Callable[[Any], Any] | None = None,
) -> Any:
    """Do a step again and again: tokens of a text, steps of denoising, frames of a clip.

    Each backend compiles it as one loop, whose state stays on the device: ``lax.while_loop`` on
    JAX, ``tf.while_loop`` on TensorFlow, on PyTorch a recorded step that is called repeatedly.
    Where a loss is differentiated through it, give ``steps`` as an integer.

    Args:
        step: maps the number of the step, an int32 scalar tensor from 0 on, and the state to the
            new state, of the same structure, shapes and dtypes.
        state: a tensor, or nested dicts, lists and tuples of them.
        steps: how many at most, an integer or an int32 scalar tensor; None: ``until`` decides.
        until: maps the state to a bool scalar tensor, whether it is the last; asked before each
            step.

    Returns:
        the last state.

    Raises:
        UsageError: neither ``steps`` nor ``until`` is given; the step returns a state of another
            form than it takes.
    """
    from genkit.engine.loop_state import checked

    if steps is None and until is None:
        raise UsageError("Expected steps, until or both for a loop, or it never ends.")
    step, state = checked(step, state)
    return _engine_class().run_loop(step, state, steps, until)


def device() -> dict[str, Any]:
    """Describe the active backend's device and thread count."""
    return _engine_class().device()
