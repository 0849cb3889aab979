"""The loop around the training step: what is logged, told and kept, and when it ends."""

from __future__ import annotations

import math
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genkit.errors import UsageError
from genkit.models.training import agreement, divergence
from genkit.models.training.callbacks import Callbacks
from genkit.models.training.clock import Clock
from genkit.models.training.stepping import CompiledStep
from genkit.models.training.validation import Validation
from genkit.plan.fitting import VALIDATION, Outcome, Position

if TYPE_CHECKING:
    from genkit.data import Loader
    from genkit.models.training.protocols import RunKeeper, Trainable
    from genkit.models.training.signals import StopOnSignal
    from genkit.models.training.stepping import Stepping


@dataclass(frozen=True)
class _RunningStep:
    """A step that was handed to the device; its losses may not be there yet."""

    number: int
    epoch: int
    index: int
    losses: dict[str, Any]


class Loop:
    """One sitting of a run.

    Args:
        trainer: what is asked for each step; its engine is made.
        model: what is trained.
        loader: its batches, from the position on.
        run: what the sitting belongs to.
        position: where the run stands; it moves on with each step.
        callbacks: ``keras.callbacks.Callback`` objects.
    """

    def __init__(
        self,
        trainer: Stepping,
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
        self.first_step = position.step
        self.clock = Clock(position.seconds)
        self.running: _RunningStep | None = None
        self.total = run.settings.total_steps(loader.steps_per_epoch)
        self.validation = (
            Validation(self.engine, model, run.held_out, run.settings) if run.held_out else None
        )
        self.step = CompiledStep(trainer, model, run.settings.seed)
        self.watchers = Callbacks(
            callbacks,
            model,
            epochs=run.settings.epochs or 1,
            steps=loader.steps_per_epoch,
            total_steps=self.total,
            seconds=run.settings.seconds,
            first_step=position.step,
            first_seconds=position.seconds,
        )
        self.tells = self.watchers.watch_steps
        self.waits = self.watchers.wait_for_steps

    def go(self, stop: StopOnSignal) -> Outcome:
        """Train until the end, a callback or a signal."""
        position, first_seconds = self.position, self.position.seconds
        if self.first_step == 0:
            self.run.save_checkpoint(self.engine.state, position)
        if not self._is_over():  # else callbacks would begin, and overwrite, what is finished
            self._train(stop)
        spent = position.seconds - first_seconds
        return Outcome(
            steps=position.step,
            seconds=position.seconds,
            steps_per_second=(position.step - self.first_step) / spent if spent else 0.0,
            metrics=position.metrics or {},
            signal=0 if self._is_over() else stop.received,
        )

    def _train(self, stop: StopOnSignal) -> None:
        """Step until the end, a callback or a signal; then keep what came out.

        A step whose losses nobody awaits runs on while the next one is prepared: a device that
        computes by itself never waits for Python.
        """
        self.clock.start()
        self.model.stop_training = False
        if absent := self.watchers.begin(self.position.callbacks):
            warnings.warn(
                f"The run had callbacks that are not here: {', '.join(absent)}. It goes on without "
                "them.",
                stacklevel=2,
            )
        while self._goes_on(stop):
            following = self._begin_step()
            self._end_step()
            self.running = following
            if self._needs_sync(following):
                self._end_step()
        self._end_step()
        if stop.received and not (self._is_over() or self.model.stop_training):
            self._keep()  # a resumed run needs the weights as they are
            self.watchers.call("on_train_end", self.position.metrics)
        else:
            self._end_epoch()
            self.watchers.call(
                "on_train_end", self.position.metrics
            )  # may restore the best weights
            self.position.finished = self.model.stop_training
            self._keep()

    def _goes_on(self, stop: StopOnSignal) -> bool:
        """Whether there is another step; several workers decide as one."""
        on = not (self._is_over() or self.model.stop_training or stop.received)
        engine, position = self.engine, self.position
        if engine.collective.size == 1:
            return on
        idle = self.running is None
        on = agreement.decide(engine, self.model, position, stop, on=on, idle=idle)
        begun, every = self._begun, self.run.settings.checkpoint_every
        if not on or begun in (self.first_step, self.first_step + 1) or begun % every == 0:
            agreement.check_copies(engine, begun)
        return on

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

    def _begin_step(self) -> _RunningStep:
        """Hand the next step to the device."""
        number = self._begun
        epoch, index = divmod(number, self.loader.steps_per_epoch)
        if not self.in_epoch:
            self.in_epoch = True
            self.watchers.call("on_epoch_begin", epoch, {})
        if self.tells:
            self.watchers.call("on_train_batch_begin", index, {})
        when = (number, self.position.seconds, self.loader.steps_per_epoch)
        rate = self.run.settings.learning_rate_factor(*when)
        expected = self.run.settings.expected_steps(*when)
        losses = self.step(number, next(self.loader), rate, expected)
        return _RunningStep(number, epoch, index, losses)

    def _needs_sync(self, step: _RunningStep) -> bool:
        """Whether something looks at the model or the losses before the next step begins."""
        settings, done = self.run.settings, step.number + 1
        due = settings.samples_are_due(done) or done % settings.checkpoint_every == 0
        due = due or settings.validation_is_due(done, self.total)
        due = due or (self.run.watch is not None and settings.watch_is_due(done, self.total))
        return self.waits or due or step.index + 1 == self.loader.steps_per_epoch

    def _end_step(self) -> None:
        """Fetch the losses of the running step, if there is one; tell and keep what is due."""
        if self.running is None:
            return
        step, self.running = self.running, None
        position, settings = self.position, self.run.settings
        losses = self.engine.fetch(step.losses)
        self._count(step, losses)
        shown = losses | self.trainer.measures(position.step) | self._validate()
        shown |= self._measure(shown)
        if self.engine.collective.rank:
            return  # the first worker has the log, the callbacks and the run
        if step.number == self.first_step:  # the first that tells which losses there are
            self._check_best(losses | position.validation | position.watched)
            self.watchers.check_monitors(shown | position.validation | position.watched)
        position.metrics = shown
        if self.tells:
            self.watchers.call("on_train_batch_end", step.index, shown)
        if not self.model.stop_training:
            divergence.check_losses(losses, position.step, position.first)
        seconds = round(position.seconds, 6)
        self.run.log({"step": position.step, "epoch": step.epoch + 1, "seconds": seconds, **shown})
        if step.index + 1 == self.loader.steps_per_epoch:
            self._end_epoch()
        if self._needs_sync(step) and not (self._is_over() or self.model.stop_training):
            found = position.validation if position.validated == position.step else {}
            found = found | (position.watched if position.watched_at == position.step else {})
            self._keep(
                samples=settings.samples_are_due(position.step),
                checkpoint=position.step % settings.checkpoint_every == 0
                or settings.keep_best in found,
            )

    def _count(self, step: _RunningStep, losses: dict[str, float]) -> None:
        """Move the position on by a step."""
        position = self.position
        position.step += 1
        position.seconds = self.clock.seconds()
        position.first = position.first or losses
        if step.index == 0:
            position.epoch_sums = {}
        if step.number % self.run.settings.checkpoint_every == 0:
            position.window_sums = {}
        for sums in (position.epoch_sums, position.window_sums):
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value

    def _validate(self) -> dict[str, float]:
        """Return the losses on held-out data, where it is their turn."""
        position = self.position
        if self.validation is None:
            return {}
        if not self.run.settings.validation_is_due(position.step, self.total):
            return {}
        expected = self.run.settings.expected_steps(
            position.step, position.seconds, self.loader.steps_per_epoch
        )
        position.validation = self.validation.losses(position.step, expected)
        position.validated = position.step
        return position.validation

    def _measure(self, losses: Collection[str]) -> dict[str, float]:
        """Return the figures of the metrics that are watched, where it is their turn."""
        position = self.position
        if self.run.watch is None:
            return {}
        if not self.run.settings.watch_is_due(position.step, self.total):
            return {}
        found = self.run.watch.measure()
        position.watched = {figure.name: float(figure.value) for figure in found}
        position.higher_is_better = [each.name for each in found if each.direction == "max"]
        position.watched_at = position.step
        if clash := sorted(position.watched.keys() & set(losses)):
            raise UsageError(
                f"The model logs {clash[0]}, and a watched metric does: watch another."
            )
        return position.watched

    def _check_best(self, losses: dict[str, float]) -> None:
        best = self.run.settings.keep_best
        if best is not None and best not in losses:
            raise UsageError(
                f"Expected one of the losses {', '.join(losses)} as the best checkpoint's; "
                f"received {best!r}.",
                "Held-out losses come with --validate-every, figures with --watch METRIC.",
            )

    def _end_epoch(self) -> None:
        """Report the mean losses of an epoch, whole or cut short."""
        if not self.in_epoch:
            return
        self.in_epoch = False
        epoch, index = divmod(self.position.step - 1, self.loader.steps_per_epoch)
        means = {name: total / (index + 1) for name, total in self.position.epoch_sums.items()}
        position, begun = self.position, self.position.step - (index + 1)
        logs = means | self.trainer.measures(position.step)
        logs |= position.validation if position.validated > begun else {}
        logs |= position.watched if position.watched_at > begun else {}
        self.watchers.call("on_epoch_end", epoch, logs)  # which may add values of its own
        known = logs | position.validation | position.watched
        self.watchers.check_monitors(known, epoch_ended=True)

    def _keep(self, *, samples: bool = True, checkpoint: bool = True) -> None:
        """Save samples and a checkpoint, where they are worth keeping."""
        losses = (self.position.metrics or {}).items()
        if not all(math.isfinite(v) for name, v in losses if not name.startswith(VALIDATION)):
            return
        if samples:
            picture = self.run.save_samples(self.position.step, self.model)
            if picture is not None:
                self.watchers.call("on_samples", self.position.step, picture)
        if checkpoint:
            self.position.callbacks = self.watchers.state()
            self.run.save_checkpoint(self.engine.state, self.position)
