"""What several workers decide as one, and what they check of one another.

The first worker decides: it has the run, the clock and the callbacks. Before each step the others
are told whether there is another one, so none ever waits for a step that isn't done.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import keras

from genkit.engine.collective import of_this_process
from genkit.engine.keras_inside import all_layers, learning_rate
from genkit.engine.state import ModelState
from genkit.errors import RunError, TrainingError, UsageError

if TYPE_CHECKING:
    from genkit.engine import Engine
    from genkit.models.training.signals import StopOnSignal
    from genkit.plan.fitting import Position

_MERGED = ("none", "mean", "only_first_replica")  # none: what is alike in all workers


def check_mergeable(model: Any) -> None:
    """Refuse what workers that each see a part of the batch can't put together.

    Raises:
        UsageError: a layer takes statistics of its part alone, or a weight is to be summed.
    """
    if not of_this_process().apart:
        return
    for layer in all_layers(model):
        own = isinstance(layer, keras.layers.BatchNormalization)
        if own and layer.trainable and layer.moving_mean.aggregation != "mean":
            raise UsageError(
                f"Workers can't put the statistics of {layer.name} together: Keras' own "
                "BatchNormalization takes those of each worker's part of the batch.",
                "Use genkit.layers.BatchNormalization, JAX, or one worker.",
            )
    for key, variable in ModelState(model).weights.items():
        if variable.aggregation not in _MERGED:
            raise UsageError(
                f"Workers can't merge {key}, declared with aggregation {variable.aggregation!r}; "
                "expected mean or only_first_replica.",
                "Declare it with Model.add_state, or use one worker.",
            )


def check_positions(engine: Engine, step: int) -> None:
    """Refuse workers that don't begin where the first one does; wait until all have looked.

    Raises:
        RunError: they don't see one run directory.
    """
    found = engine.collective.agree(step)
    for rank, theirs in enumerate(found):
        if theirs != found[0]:
            raise RunError(
                f"Worker {rank} finds the run at step {theirs}, the first one at {found[0]}.",
                "All need the same folder: pass a --runs-dir that all machines share.",
            )


def check_part(engine: Engine, part: tuple[int, int], trainer: str) -> None:
    """Refuse a loader that gives each worker something else than its part of the batch.

    Raises:
        UsageError: with the trainer that opened it.
    """
    wanted = (engine.collective.rank, engine.collective.size)
    if part != wanted:
        raise UsageError(
            f"The trainer {trainer} doesn't divide its batches among workers.",
            "Use one worker; or hand part= to the Loader that its open_loader makes.",
        )


def decide(
    engine: Engine, model: Any, position: Position, stop: StopOnSignal, *, on: bool, idle: bool
) -> bool:
    """Agree on whether there is another step, on the time, and on learning rates.

    Args:
        engine: of the model.
        model: in training; learns whether it is to end.
        position: where the run stands; learns the first worker's time.
        stop: learns of a signal that any worker got.
        on: whether this worker would go on; the first one's is asked.
        idle: whether no step runs: then callbacks may have set learning rates.
    """
    told = engine.collective.agree(
        {
            "on": on,
            "signal": stop.received,
            "seconds": position.seconds,
            "stop": bool(model.stop_training),
            "rates": _rates(engine) if idle and engine.collective.rank == 0 else {},
        }
    )
    first = told[0]
    stop.received = next((each["signal"] for each in told if each["signal"]), 0)
    position.seconds, model.stop_training = first["seconds"], first["stop"]
    if engine.collective.rank:
        _take_rates(engine, first["rates"])
    return bool(first["on"] and not stop.received)


def check_copies(engine: Engine, step: int) -> None:
    """Refuse to go on where the workers' copies of the model are no longer the same bits.

    Raises:
        TrainingError: with what is not alike.
    """
    weights, training = engine.state.read()
    digests = {
        key: hashlib.sha256(array.tobytes()).hexdigest()[:16]
        for key, array in {**weights, **training}.items()
    }
    found = engine.collective.agree(digests)
    for rank, theirs in enumerate(found):
        if differing := sorted(key for key in digests if theirs.get(key) != found[0].get(key)):
            raise TrainingError(
                f"After step {step} worker {rank} has another {differing[0]} than the first one; "
                f"{len(differing)} of {len(digests)} differ.",
                "Declare what a step keeps with Model.add_state, let a layer sum over "
                "genkit.engine.workers(), or use one worker.",
            )


def _rates(engine: Engine) -> dict[str, float]:
    """Return the learning rates that callbacks may have set, by optimizer."""
    return {name: float(keras.ops.convert_to_numpy(v)) for name, v in _variables(engine).items()}


def _take_rates(engine: Engine, rates: dict[str, float]) -> None:
    for name, variable in _variables(engine).items():
        if name in rates and float(keras.ops.convert_to_numpy(variable)) != rates[name]:
            variable.assign(rates[name])


def _variables(engine: Engine) -> dict[str, Any]:
    """Return the variables of learning rates, by optimizer; a schedule's can't be set."""
    optimizers = engine.model.optimizers.items()
    rates = {n: learning_rate(getattr(each, "inner_optimizer", each)) for n, each in optimizers}
    return {name: rate for name, rate in rates.items() if isinstance(rate, keras.Variable)}
