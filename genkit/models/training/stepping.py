"""What makes a training step: the verbs of an update, and the seams around them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit import engine
from genkit.data import Loader
from genkit.engine.collective import in_step
from genkit.engine.steps import merge, split_schedule
from genkit.errors import UsageError
from genkit.models.training.gradient_transforms import build_all

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.engine.steps import StepFn
    from genkit.models.training.gradient_transforms import GradientTransform
    from genkit.models.training.protocols import Trainable
    from genkit.plan.fitting import FitSettings

# In the batch, beside fields and noise.
_RATE = "learning rate factor of "
_KEPT = "what averages keep of "


def schedule_of(model: Trainable) -> Callable[[int, float], dict[str, Any]]:
    """Return a model's ``schedule`` as it is called, of step and total; its own may take one."""
    if len(inspect.signature(model.schedule).parameters) > 1:
        return model.schedule
    return lambda step, _: model.schedule(step)  # type: ignore[call-arg]


class Stepping:
    """The part of ``genkit.Trainer`` that is asked while training goes on.

    Where a model is ``Any``, it is a ``Trainable``, and an override may ask for more of it.
    """

    engine: engine.Engine
    """That of the model in training; ``open_engine`` makes it."""

    transforms: Sequence[GradientTransform] = ()
    """What is done to gradients, in order, compiled with the step."""

    def open_engine(self, model: Any) -> None:
        """Make the engine of a model that begins to train, and what ``transforms`` keep."""
        self.engine = engine.create(model, build_all(self.transforms, model))

    def gradients(
        self, name: str, fn: Callable[..., Any], *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        """Differentiate: as the first of ``transforms`` does, or see ``Engine.gradients``."""
        if self.transforms:
            return self.transforms[0].gradients(self.engine, name, fn, *inputs)
        return self.engine.gradients(name, fn, *inputs)

    def transform_gradients(self, name: str, gradients: list[Any]) -> list[Any]:
        """Change gradients before they are applied; by default each of ``transforms`` does."""
        for each in self.transforms:
            gradients = each.transform(self.engine, name, gradients)
        return gradients

    def minimize(
        self, name: str, fn: Callable[..., Any], *inputs: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Do one update of what ``name`` owns; handed to ``Model.training_step``."""
        result, gradients = self.gradients(name, fn, *inputs)
        gradients = engine.workers().mean(gradients)
        self.engine.apply(name, self.transform_gradients(name, gradients))
        return result

    def open_loader(
        self, model: Any, source: Source, settings: FitSettings, start_step: int
    ) -> Loader:
        """Return the batches from a step on; by default each epoch in a new order.

        ``source`` holds the model's examples.
        """
        return Loader(
            source,
            batch_size=settings.batch_size,
            seed=settings.seed,
            noise=model.training_noise,
            batches_per_step=model.batches_per_step,
            start_step=start_step,
            part=(self.engine.collective.rank, self.engine.collective.size),
        )

    def training_step(self, model: Any, batch: Any, minimize: Callable[..., Any]) -> dict[str, Any]:
        """Do one step, inside what is compiled; by default the model's own."""
        losses: dict[str, Any] = model.training_step(batch, minimize)
        return losses

    def measures(self, step: int) -> dict[str, float]:  # noqa: ARG002
        """Return numbers of the trainer's own after this many steps, for the log."""
        return {}

    def is_spent(self, step: int) -> bool:  # noqa: ARG002
        """Whether training must end after this many steps, whatever its length."""
        return False

    def statement(self, step: int) -> Mapping[str, str]:  # noqa: ARG002
        """Return facts by name, for the card of the model after this many steps."""
        return {}


class CompiledStep:
    """The training step of a model, compiled: whoever trains takes its steps through this.

    Args:
        trainer: whose step it is; its engine is made.
        model: the engine's.
        seed: of layer randomness.
        fn: the step, from the batch to scalars by name; the trainer's own when left out.
    """

    def __init__(
        self, trainer: Stepping, model: Trainable, seed: int, fn: StepFn | None = None
    ) -> None:
        self._engine, self._model, self._seed = trainer.engine, model, seed
        self._schedule = schedule_of(model)
        own = fn or (lambda batch: trainer.training_step(model, batch, trainer.minimize))
        whole = self._averaging(self._with_others(own))
        self._step = self._engine.compile_step(self._at_its_rate(whole))

    def __call__(
        self, number: int, batch: Any, rate: float | None = None, total: float = math.inf
    ) -> dict[str, Any]:
        """Hand a step to the device.

        Args:
            number: how many steps came before it.
            batch: what the loader made for it.
            rate: what learning rates are multiplied by; they stay as they are when left out.
            total: how many steps there are in all; see ``Model.schedule``.

        Returns:
            scalars by name, for ``Engine.fetch``; they may not be there yet.
        """
        static, inputs = split_schedule(self._schedule(number, total))
        for name, factor in self._factors(number, rate, total).items():
            inputs[_RATE + name] = np.float32(factor)
        for name, averages in self._model.weight_averages.items():
            inputs[_KEPT + name] = np.float32(averages.kept(number, self._items(batch)))
        self._engine.begin_step(self._seed, number)
        return self._step(merge(batch, inputs), static)

    def _factors(self, number: int, rate: float | None, total: float) -> dict[str, float]:
        """Return what each optimizer's learning rate is multiplied by; the others stay."""
        names = self._model.optimizers
        factors = {} if rate is None else dict.fromkeys(names, rate)
        for name, own in self._model.learning_rate_factors(number, total).items():
            if name not in names:
                raise UsageError(
                    f"Expected factors for the learning rates of {', '.join(names)}; "
                    f"received one for {name!r}."
                )
            factors[name] = factors.get(name, 1.0) * own
        return factors

    def _items(self, batch: Any) -> int:
        """Return how many items a batch, or each of several, has on all workers."""
        one = batch[0] if isinstance(batch, tuple) else batch
        own = next(len(value) for value in one.values() if np.ndim(value))
        return own * self._engine.collective.size

    def _averaging(self, fn: StepFn) -> StepFn:
        """Have averages follow what a step leaves, by what comes with its batch."""

        def step(batch: Any) -> dict[str, Any]:
            rest, kept = _apart(batch, _KEPT)
            losses = fn(rest)
            for name, share in kept.items():
                self._model.weight_averages[name].update(share)
            return losses

        return step

    def _with_others(self, fn: StepFn) -> StepFn:
        """Have a step give the losses of all workers, and merge what they keep."""

        def step(batch: Any) -> dict[str, Any]:
            with in_step(self._engine.collective):
                return self._engine.merge(fn(batch))

        return step

    def _at_its_rate(self, fn: StepFn) -> StepFn:
        """Let a step's updates have the learning rates' factors that come with its batch."""

        def step(batch: Any) -> dict[str, Any]:
            rest, factors = _apart(batch, _RATE)
            if not factors:
                return fn(rest)
            with self._engine.scaled_learning_rates(factors):
                return fn(rest)

        return step


def _apart(batch: Any, prefix: str) -> tuple[Any, dict[str, Any]]:
    """Return a batch, or several, without what stands under a prefix; and that, by what follows."""
    batches = batch if isinstance(batch, tuple) else (batch,)
    found = {k.removeprefix(prefix): v for k, v in batches[0].items() if k.startswith(prefix)}
    if not found:
        return batch, {}
    rest = tuple({k: v for k, v in each.items() if not k.startswith(prefix)} for each in batches)
    return (rest if isinstance(batch, tuple) else rest[0]), found
