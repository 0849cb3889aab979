"""Training that went wrong: noticed at once, and told with the gradients that led there."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import keras

from genkit.engine.base import global_norm, merge, split_schedule
from genkit.errors import DivergedError, RunError

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.training.protocols import RunKeeper, Trainable
    from genkit.training.signals import StopOnSignal
    from genkit.training.trainer import Trainer

EXPLODED = 1e6
"""How many times its size at step 1 a loss may reach."""

_REPLAY_SECONDS = 60.0
_SHOWN = 5


def check(losses: Mapping[str, float], step: int, first: Mapping[str, float]) -> None:
    """Stop at the first loss that is no number, or a million times as large as at step 1.

    Args:
        losses: of this step.
        step: its number.
        first: the losses of step 1.

    Raises:
        DivergedError: with the loss and the step.
    """
    for name, value in losses.items():
        begun = first.get(name, value)
        if not math.isfinite(value) or abs(value) > EXPLODED * max(1.0, abs(begun)):
            before = f", after {begun:.4g} at step 1" if step > 1 else ""
            raise DivergedError(
                f"The loss {name!r} became {value:.4g} at step {step}{before}.",
                "Lower the learning rate, clip gradients (global_clipnorm of the optimizer) or "
                "look for bad values in the data; the last checkpoint is from before.",
            )


def with_gradients(
    error: DivergedError,
    trainer: Trainer,
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
        norms = _replay(trainer, model, source, run, last=last, stop=stop)
    except RunError:
        return error  # no checkpoint to begin from: the error says what there is to say
    told = "; ".join(
        f"{name} {', '.join(f'{norm:.3g}' for norm in of[-_SHOWN:])}" for name, of in norms.items()
    )
    if not told:
        return error
    return DivergedError(f"{error.message} Gradient norms of the steps before: {told}.", error.hint)


def _replay(
    trainer: Trainer,
    model: Trainable,
    source: Source,
    run: RunKeeper,
    *,
    last: int,
    stop: StopOnSignal,
) -> dict[str, list[float]]:
    """Train again from the last checkpoint to the last step; give the norms by optimizer."""
    position = run.last_position(trainer.engine.state)
    until = time.monotonic() + _REPLAY_SECONDS
    seen: dict[str, list[float]] = {}
    step = _watched_step(trainer, model)
    with trainer.open_loader(model, source, run.settings, position.step) as loader:
        number = position.step
        while number < last and time.monotonic() < until and not stop.received:
            static, inputs = split_schedule(model.schedule(number))
            trainer.engine.begin_step(run.settings.seed, number)
            norms = step(merge(next(loader), inputs), static)
            number += 1
            for name, norm in norms.items():
                seen.setdefault(name, []).append(norm)
    return seen


def _watched_step(trainer: Trainer, model: Trainable) -> Any:
    """Compile the training step so that it gives its gradients' norms too."""
    prefix = "gradient norm of "
    norms: dict[str, Any] = {}

    def watched(name: str, fn: Any, *inputs: Any) -> Any:
        result, gradients = trainer.gradients(name, fn, *inputs)
        scale = model.optimizers[name].scale_loss(1.0)
        norms[prefix + name] = keras.ops.divide(global_norm(gradients), scale)
        trainer.engine.apply(name, trainer.transform_gradients(name, gradients))
        return result

    def training_step(batch: Any) -> dict[str, Any]:
        norms.clear()
        return {**trainer.training_step(model, batch, watched), **norms}

    compiled = trainer.engine.compile_step(training_step)

    def step(batch: Any, static: Any) -> dict[str, float]:
        values = trainer.engine.fetch(compiled(batch, static))
        return {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}

    return step
