"""The default trainer: steps along gradients, the loop around them, and its seams."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import keras

from genkit import engine
from genkit.data import Loader, check_sizes
from genkit.errors import NonFiniteLossError, UsageError
from genkit.fitting import FitSettings, Outcome, Position
from genkit.model import Model, split_schedule
from genkit.training.signals import StopOnSignal

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.runs import Run, UnsavedRun


class Trainer:
    """Turns a model, data and a run into a trained model.

    ``minimize`` is made of three verbs; a trainer of another kind overrides one of them
    (``gradients`` for privacy, ``transform_gradients`` for averaging over workers) or all of
    ``fit``.
    """

    stepwise = True
    """Whether ``fit`` goes step by step, so that callbacks and progress make sense."""

    engine: engine.Engine

    def gradients(
        self, name: str, fn: Callable[..., Any], *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        """Differentiate; see ``Engine.gradients``."""
        return self.engine.gradients(name, fn, *inputs)

    def transform_gradients(self, name: str, gradients: list[Any]) -> list[Any]:  # noqa: ARG002
        """Change gradients before they are applied; by default they stay as they are."""
        return gradients

    def minimize(
        self, name: str, fn: Callable[..., Any], *inputs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Do one update of what ``name`` owns; handed to ``Model.training_step``."""
        result, gradients = self.gradients(name, fn, *inputs)
        self.engine.apply(name, self.transform_gradients(name, gradients))
        return result

    def check(self, model: Model, source: Source, settings: FitSettings) -> None:
        """Refuse, before anything is written, what ``fit`` could not train.

        Raises:
            GenkitError: the model has no training step, or a batch is larger than the data.
        """
        if type(model).training_step is Model.training_step:
            raise UsageError(
                f"{type(model).__name__} has no training_step for this trainer to do.",
                "Train it with --trainer closed-form.",
            )
        check_sizes(source, settings.batch_size, model.batches_per_step)

    def fit(
        self,
        model: Model,
        source: Source,
        run: Run | UnsavedRun,
        callbacks: Sequence[Any] = (),
    ) -> Outcome:
        """Train until the run's settings, a callback or a signal ends it.

        Args:
            model: the model, built.
            source: the data.
            run: gives the settings and the last checkpoint, takes losses, samples, checkpoints.
            callbacks: ``keras.callbacks.Callback`` objects.

        Raises:
            NonFiniteLossError: a loss became NaN or infinite.
            GenkitError: see ``check``.
        """
        self.check(model, source, run.settings)
        self.engine = engine.create(model)
        position = run.restore(self.engine.state)
        settings = run.settings
        loader = Loader(
            source,
            batch_size=settings.batch_size,
            seed=settings.seed,
            noise=model.noise,
            batches_per_step=model.batches_per_step,
            start_step=position.step,
        )
        with loader, StopOnSignal() as stop:
            loop = _Loop(self, model, loader, run, position)
            try:
                return loop.go(list(callbacks), stop)
            finally:
                for callback in callbacks:
                    if hasattr(callback, "close"):
                        callback.close()


@dataclass(frozen=True)
class _Step:
    """A training step that was handed to the device; its losses may not be there yet."""

    number: int
    epoch: int
    index: int
    losses: dict[str, Any]


class _Loop:
    """One sitting of a run."""

    def __init__(
        self,
        trainer: Trainer,
        model: Model,
        loader: Loader,
        run: Run | UnsavedRun,
        position: Position,
    ) -> None:
        self.engine = trainer.engine
        self.model = model
        self.loader = loader
        self.run = run
        self.position = position
        self.in_epoch = False
        self.running: _Step | None = None
        self.total = run.settings.total_steps(loader.steps_per_epoch)
        self.step = self.engine.compile_step(
            lambda batch: model.training_step(batch, trainer.minimize)
        )

    def go(self, callbacks: list[Any], stop: StopOnSignal) -> Outcome:
        position, settings = self.position, self.run.settings
        first_step, first_seconds = position.step, position.seconds
        watchers = keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            model=self.model,
            epochs=settings.epochs or 1,
            steps=self.loader.steps_per_epoch,
            total_steps=self.total,
            seconds=settings.seconds,
            first_step=first_step,
        )
        told = [callback for callback in callbacks if _is_told_of_steps(callback)]
        self.tells = bool(told)
        self.waits = any(not getattr(callback, "may_lag", False) for callback in told)
        if first_step == 0:
            self.run.save_checkpoint(self.engine.state, position)
        if not self._is_over():  # else callbacks would begin, and overwrite, what is finished
            self._train(watchers, stop)
        spent = position.seconds - first_seconds
        return Outcome(
            steps=position.step,
            seconds=position.seconds,
            steps_per_second=(position.step - first_step) / spent if spent else 0.0,
            metrics=position.metrics or {},
            signal=stop.received,
        )

    def _train(self, watchers: Any, stop: StopOnSignal) -> None:
        """Step until the end, a callback or a signal; then keep what came out.

        A step whose losses nobody awaits runs on while the next one is prepared: a device that
        computes by itself never waits for Python.
        """
        self.first_seconds, self.started = self.position.seconds, time.perf_counter()
        self.model.stop_training = False
        watchers.on_train_begin()
        while not (self._is_over() or self.model.stop_training or stop.received):
            following = self._begin_step(watchers)
            self._end_step(watchers)
            self.running = following
            if self._is_awaited(following):
                self._end_step(watchers)
        self._end_step(watchers)
        if stop.received:
            self._keep()  # a resumed run needs the weights as they are
            watchers.on_train_end(self.position.metrics)
        else:
            self._end_epoch(watchers)
            watchers.on_train_end(self.position.metrics)  # may restore the best weights
            self._keep()

    def _is_over(self) -> bool:
        limit = self.run.settings.seconds
        return (self.total is not None and self._begun >= self.total) or (
            limit is not None and self.position.seconds >= limit
        )

    @property
    def _begun(self) -> int:
        """Steps that have begun; all but the running one have ended."""
        return self.position.step + (self.running is not None)

    def _begin_step(self, watchers: Any) -> _Step:
        """Hand the next step to the device."""
        number = self._begun
        epoch, index = divmod(number, self.loader.steps_per_epoch)
        if not self.in_epoch:
            self.in_epoch = True
            if index == 0:
                self.position.epoch_sums = {}
            watchers.on_epoch_begin(epoch)
        if self.tells:  # Keras hands each call to a thread, even if nobody listens
            watchers.on_train_batch_begin(index)
        static, inputs = split_schedule(self.model.schedule(number))
        batch = engine.base.merge(next(self.loader), inputs)
        self.engine.begin_step(self.run.settings.seed, number)
        return _Step(number, epoch, index, self.step(batch, static))

    def _is_awaited(self, step: _Step) -> bool:
        """Say whether something looks at the model or the losses before the next step begins."""
        settings, done = self.run.settings, step.number + 1
        due = done % settings.sample_every == 0 or done % settings.checkpoint_every == 0
        return self.waits or due or step.index + 1 == self.loader.steps_per_epoch

    def _end_step(self, watchers: Any) -> None:
        """Fetch the losses of the running step, if there is one; tell and keep what is due."""
        if self.running is None:
            return
        step, self.running = self.running, None
        position, settings = self.position, self.run.settings
        losses = self.engine.fetch(step.losses)
        position.step += 1
        position.seconds = self.first_seconds + time.perf_counter() - self.started
        position.metrics = losses
        if self.tells:
            watchers.on_train_batch_end(step.index, losses)
        if not self.model.stop_training:
            check_finite(losses, position.step)
        for name, value in losses.items():
            position.epoch_sums[name] = position.epoch_sums.get(name, 0.0) + value
        seconds = round(position.seconds, 3)
        self.run.log({"step": position.step, "epoch": step.epoch + 1, "seconds": seconds, **losses})
        if step.index + 1 == self.loader.steps_per_epoch:
            self._end_epoch(watchers)
        if self._is_awaited(step) and not (self._is_over() or self.model.stop_training):
            self._keep(settings.sample_every, settings.checkpoint_every)

    def _end_epoch(self, watchers: Any) -> None:
        """Report the mean losses of an epoch, whole or cut short."""
        if not self.in_epoch:
            return
        self.in_epoch = False
        epoch, index = divmod(self.position.step - 1, self.loader.steps_per_epoch)
        sums = self.position.epoch_sums
        watchers.on_epoch_end(epoch, {name: total / (index + 1) for name, total in sums.items()})

    def _keep(self, sample_every: int = 1, checkpoint_every: int = 1) -> None:
        """Save samples and a checkpoint, where they are due and worth keeping."""
        if not all(map(math.isfinite, (self.position.metrics or {}).values())):
            return
        if self.position.step % sample_every == 0:
            self.run.save_samples(self.position.step, self.model)
        if self.position.step % checkpoint_every == 0:
            self.run.save_checkpoint(self.engine.state, self.position)


def _is_told_of_steps(callback: Any) -> bool:
    """Say whether a callback does something at single steps."""
    hooks = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    default = keras.callbacks.Callback
    return any(
        getattr(getattr(callback, name), "__func__", None) is not getattr(default, name)
        for name in hooks
    )


def check_finite(losses: dict[str, float], step: int) -> None:
    """Stop at the first loss that is no number.

    Raises:
        NonFiniteLossError: with the loss and the step.
    """
    for name, value in losses.items():
        if not math.isfinite(value):
            raise NonFiniteLossError(
                f"The loss {name!r} became {value} at step {step}.",
                "Lower the learning rate, or clip gradients (global_clipnorm of the optimizer); "
                "the last checkpoint is from before.",
            )
