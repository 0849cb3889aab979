"""The steps before a divergence, done again for what training doesn't compute: gradient norms."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import keras

from genkit.engine.gradients import global_norm
from genkit.errors import DivergedError, RunError
from genkit.models.training.stepping import CompiledStep

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.models.training.protocols import RunKeeper, Trainable
    from genkit.models.training.signals import StopOnSignal
    from genkit.models.training.stepping import Stepping

_SECONDS = 60.0
_SHOWN = 5
_PREFIX = "gradient norm of "


def with_gradients(
    error: DivergedError,
    trainer: Stepping,
    model: Trainable,
    source: Source,
    run: RunKeeper,
    *,
    last: int,
    stop: StopOnSignal,
) -> DivergedError:
    """Add the gradient norms of the steps before to the error.

    Training doesn't compute them, for speed. They come from doing the steps since the last
    checkpoint again, up to the ``last`` one, for a minute at most or until a signal; the run on
    disk stays as it is.
    """
    try:
        found = _replay(trainer, model, source, run, last=last, stop=stop)
    except RunError:
        return error  # no checkpoint to begin from: the error says what there is to say
    norms = "; ".join(
        f"{name} {', '.join(f'{norm:.3g}' for norm in of[-_SHOWN:])}" for name, of in found.items()
    )
    if not norms:
        return error
    return DivergedError(
        f"{error.message} Gradient norms of the steps before: {norms}.", error.hint
    )


def _replay(
    trainer: Stepping,
    model: Trainable,
    source: Source,
    run: RunKeeper,
    *,
    last: int,
    stop: StopOnSignal,
) -> dict[str, list[float]]:
    """Train again from the last checkpoint to the last step; return the norms by optimizer."""
    position = run.last_position(trainer.engine.state)
    until = time.monotonic() + _SECONDS
    seen: dict[str, list[float]] = {}
    step = _watched_step(trainer, model, run.settings.seed)
    with trainer.open_loader(model, source, run.settings, position.step) as loader:
        number = position.step
        while number < last and time.monotonic() < until and not stop.received:
            when = (number, position.seconds, loader.steps_per_epoch)
            rate = run.settings.learning_rate_factor(*when)
            total = run.settings.expected_steps(*when)
            found = trainer.engine.fetch(step(number, next(loader), rate, total))
            number += 1
            for name, value in found.items():
                if name.startswith(_PREFIX):
                    seen.setdefault(name.removeprefix(_PREFIX), []).append(value)
    return seen


def _watched_step(trainer: Stepping, model: Trainable, seed: int) -> CompiledStep:
    """Compile the training step so that it gives its gradients' norms too."""
    norms: dict[str, Any] = {}

    def watched(name: str, fn: Any, *inputs: Any) -> Any:
        result, gradients = trainer.gradients(name, fn, *inputs)
        scale = model.optimizers[name].scale_loss(1.0)
        norms[_PREFIX + name] = keras.ops.divide(global_norm(gradients), scale)
        trainer.engine.apply(name, trainer.transform_gradients(name, gradients))
        return result

    def training_step(batch: Any) -> dict[str, Any]:
        norms.clear()
        return {**trainer.training_step(model, batch, watched), **norms}

    return CompiledStep(trainer, model, seed, training_step)
