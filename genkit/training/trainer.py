"""The default trainer: steps along gradients, the loop around them, and its seams."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genkit import engine
from genkit.data import Loader, check_sizes
from genkit.engine.base import merge, split_schedule
from genkit.errors import DivergedError, UsageError
from genkit.fitting import FitSettings, Outcome, Position
from genkit.training import divergence
from genkit.training.callbacks import Callbacks
from genkit.training.signals import StopOnSignal

if TYPE_CHECKING:
    from genkit.config import Config
    from genkit.data import Source
    from genkit.training.protocols import RunKeeper, Trainable


class Trainer:
    """Turns a model, data and a run into a trained model.

    ``minimize`` is made of three verbs; a trainer of another kind overrides one of them
    (``gradients`` for privacy, ``transform_gradients`` for averaging over workers), what the loop
    asks for (``open_loader``, ``training_step``, ``measures``, ``is_spent``), what the card says
    (``statement``), or all of ``fit``.

    Args:
        config: its settings, of the class that its spec names.
    """

    stepwise = True
    """Whether ``fit`` goes step by step, so that callbacks and progress make sense."""

    protects_data = False
    """Whether what is published must tell of the data no more than the model does: losses and the
    data's fingerprint then stay out of the card."""

    engine: engine.Engine

    def __init__(self, config: Config | None = None) -> None:
        self.config = config

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

    def open_loader(
        self, model: Any, source: Source, settings: FitSettings, start_step: int
    ) -> Loader:
        """Give the batches from a step on; by default each epoch in a new order.

        ``source`` holds the model's examples.
        """
        return Loader(
            source,
            batch_size=settings.batch_size,
            seed=settings.seed,
            noise=model.training_noise,
            batches_per_step=model.batches_per_step,
            start_step=start_step,
        )

    def training_step(
        self, model: Any, batch: Any, minimize: Callable[..., Any]
    ) -> dict[str, Any]:
        """Do one step, inside what is compiled; by default the model's own."""
        losses: dict[str, Any] = model.training_step(batch, minimize)
        return losses

    def measures(self, step: int) -> dict[str, float]:  # noqa: ARG002
        """Give numbers of the trainer's own after this many steps, for the log."""
        return {}

    def is_spent(self, step: int) -> bool:  # noqa: ARG002
        """Say whether training must end after this many steps, whatever its length."""
        return False

    def statement(self, step: int) -> Mapping[str, str]:  # noqa: ARG002
        """Give facts by name, for the card of the model after this many steps."""
        return {}

    def check(self, model: Any, source: Source, settings: FitSettings) -> None:
        """Refuse, before anything is written, what ``fit`` could not train.

        Raises:
            GenkitError: the model has no training step, or a batch is larger than the data.
        """
        if not model.has_training_step:
            raise UsageError(
                f"{type(model).__name__} has no training_step for this trainer to do.",
                "Train it with --trainer closed-form.",
            )
        check_sizes(model.examples(source), settings.batch_size, model.batches_per_step)

    def fit(
        self,
        model: Any,
        source: Source,
        run: RunKeeper,
        callbacks: Sequence[Any] = (),
    ) -> Outcome:
        """Train until the run's settings, a callback or a signal ends it.

        Args:
            model: the model, built.
            source: the data.
            run: gives the settings and the last checkpoint, takes losses, samples, checkpoints.
            callbacks: ``keras.callbacks.Callback`` objects.

        Raises:
            DivergedError: a loss became NaN or infinite, or exploded.
            CallbackError: a callback raised.
            GenkitError: see ``check``.
        """
        self.check(model, source, run.settings)
        self.engine = engine.create(model)
        position = run.restore(self.engine.state)
        examples = model.examples(source)
        loader = self.open_loader(model, examples, run.settings, position.step)
        with loader, StopOnSignal() as stop:
            loop = _Loop(self, model, loader, run, position, callbacks=callbacks)
            try:
                return loop.go(stop)
            except DivergedError as error:
                loader.close()
                last = loop.position.step
                told = divergence.with_gradients(
                    error, self, model, examples, run, last=last, stop=stop
                )
                raise told from None
            finally:
                loop.watchers.close()


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
        model: Trainable,
        loader: Loader,
        run: RunKeeper,
        position: Position,
        *,
        callbacks: Sequence[Any],
    ) -> None:
        self.trainer = trainer
        self.engine = trainer.engine
        self.model = model
        self.loader = loader
        self.run = run
        self.position = position
        self.in_epoch = False
        self.running: _Step | None = None
        self.total = run.settings.total_steps(loader.steps_per_epoch)
        self.step = self.engine.compile_step(
            lambda batch: trainer.training_step(model, batch, trainer.minimize)
        )
        self.watchers = Callbacks(
            callbacks,
            model,
            epochs=run.settings.epochs or 1,
            steps=loader.steps_per_epoch,
            total_steps=self.total,
            seconds=run.settings.seconds,
            first_step=position.step,
        )
        self.tells = self.watchers.watch_steps
        self.waits = self.watchers.wait_for_steps

    def go(self, stop: StopOnSignal) -> Outcome:
        position = self.position
        first_step, first_seconds = position.step, position.seconds
        if first_step == 0:
            self.run.save_checkpoint(self.engine.state, position)
        if not self._is_over():  # else callbacks would begin, and overwrite, what is finished
            self._train(stop)
        spent = position.seconds - first_seconds
        return Outcome(
            steps=position.step,
            seconds=position.seconds,
            steps_per_second=(position.step - first_step) / spent if spent else 0.0,
            metrics=position.metrics or {},
            signal=0 if self._is_over() else stop.received,
        )

    def _train(self, stop: StopOnSignal) -> None:
        """Step until the end, a callback or a signal; then keep what came out.

        A step whose losses nobody awaits runs on while the next one is prepared: a device that
        computes by itself never waits for Python.
        """
        self.first_seconds, self.started = self.position.seconds, time.perf_counter()
        self.model.stop_training = False
        if absent := self.watchers.begin(self.position.callbacks):
            warnings.warn(
                f"The run had callbacks that are not here: {', '.join(absent)}. It goes on without "
                "them.",
                stacklevel=2,
            )
        while not (self._is_over() or self.model.stop_training or stop.received):
            following = self._begin_step()
            self._end_step()
            self.running = following
            if self._is_awaited(following):
                self._end_step()
        self._end_step()
        if stop.received and not (self._is_over() or self.model.stop_training):
            self._keep()  # a resumed run needs the weights as they are
            self.watchers.tell("on_train_end", self.position.metrics)
        else:
            self._end_epoch()
            self.watchers.tell(
                "on_train_end", self.position.metrics
            )  # may restore the best weights
            self.position.finished = self.model.stop_training
            self._keep()

    def _is_over(self) -> bool:
        limit = self.run.settings.seconds
        return (
            self.position.finished
            or (self.total is not None and self._begun >= self.total)
            or (limit is not None and self.position.seconds >= limit)
            or self.trainer.is_spent(self._begun)
        )

    @property
    def _begun(self) -> int:
        """Steps that have begun; all but the running one have ended."""
        return self.position.step + (self.running is not None)

    def _begin_step(self) -> _Step:
        """Hand the next step to the device."""
        number = self._begun
        epoch, index = divmod(number, self.loader.steps_per_epoch)
        if not self.in_epoch:
            self.in_epoch = True
            self.watchers.tell("on_epoch_begin", epoch, {})
        if self.tells:
            self.watchers.tell("on_train_batch_begin", index, {})
        static, inputs = split_schedule(self.model.schedule(number))
        batch = merge(next(self.loader), inputs)
        self.engine.begin_step(self.run.settings.seed, number)
        return _Step(number, epoch, index, self.step(batch, static))

    def _is_awaited(self, step: _Step) -> bool:
        """Say whether something looks at the model or the losses before the next step begins."""
        settings, done = self.run.settings, step.number + 1
        due = done % settings.sample_every == 0 or done % settings.checkpoint_every == 0
        return self.waits or due or step.index + 1 == self.loader.steps_per_epoch

    def _end_step(self) -> None:
        """Fetch the losses of the running step, if there is one; tell and keep what is due."""
        if self.running is None:
            return
        step, self.running = self.running, None
        position, settings = self.position, self.run.settings
        losses = self.engine.fetch(step.losses)
        self._count(step, losses)
        shown = losses | self.trainer.measures(position.step)
        position.metrics = shown
        if self.tells:
            self.watchers.tell("on_train_batch_end", step.index, shown)
        if not self.model.stop_training:
            divergence.check(losses, position.step, position.first)
        seconds = round(position.seconds, 6)
        self.run.log({"step": position.step, "epoch": step.epoch + 1, "seconds": seconds, **shown})
        if step.index + 1 == self.loader.steps_per_epoch:
            self._end_epoch()
        if self._is_awaited(step) and not (self._is_over() or self.model.stop_training):
            self._keep(settings.sample_every, settings.checkpoint_every)

    def _count(self, step: _Step, losses: dict[str, float]) -> None:
        """Move the position on by a step."""
        position = self.position
        position.step += 1
        position.seconds = self.first_seconds + time.perf_counter() - self.started
        position.first = position.first or losses
        if step.index == 0:
            position.epoch_sums = {}
        if step.number % self.run.settings.checkpoint_every == 0:
            position.window_sums = {}
        for sums in (position.epoch_sums, position.window_sums):
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
        best = self.run.settings.keep_best
        if best is not None and best not in losses:
            raise UsageError(
                f"Expected one of the losses {', '.join(losses)} as the best checkpoint's; "
                f"received {best!r}."
            )

    def _end_epoch(self) -> None:
        """Report the mean losses of an epoch, whole or cut short."""
        if not self.in_epoch:
            return
        self.in_epoch = False
        epoch, index = divmod(self.position.step - 1, self.loader.steps_per_epoch)
        means = {name: total / (index + 1) for name, total in self.position.epoch_sums.items()}
        self.watchers.tell("on_epoch_end", epoch, means | self.trainer.measures(self.position.step))

    def _keep(self, sample_every: int = 1, checkpoint_every: int = 1) -> None:
        """Save samples and a checkpoint, where they are due and worth keeping."""
        if not all(map(math.isfinite, (self.position.metrics or {}).values())):
            return
        if self.position.step % sample_every == 0:
            picture = self.run.save_samples(self.position.step, self.model)
            if picture is not None:
                self.watchers.tell("on_samples", self.position.step, picture)
        if self.position.step % checkpoint_every == 0:
            self.position.callbacks = self.watchers.state()
            self.run.save_checkpoint(self.engine.state, self.position)
