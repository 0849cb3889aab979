"""What every engine offers, and what they share.

An engine serves one model on one backend. A trainer builds its update from three verbs:
``gradients`` (or ``per_example_gradients``), then its own ``transform_gradients``, then ``apply``;
``compile_step`` turns a function made of them into the backend's fastest form.

The subclasses override only what differs:

=============== ========================== =========================== ========================
                jax                        tensorflow                  torch
=============== ========================== =========================== ========================
differentiate   ``value_and_grad`` over a  ``GradientTape`` watching   ``autograd.grad`` of the
                stateless scope            the named variables         named variables
compile         ``jit`` over all state,    ``tf.function``, with XLA   recorded while it runs
                buffers donated            only on accelerators        once
randomness      seed generators (state)    seed generators (state)     global generator, seeded
                                                                       anew each step
=============== ========================== =========================== ========================
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import keras

from genkit.engine.batch import checked_batch
from genkit.engine.collective import Collective, of_this_process
from genkit.engine.keras_inside import (
    as_in_generation,
    scaled_learning_rate,
)
from genkit.engine.state import ModelState
from genkit.engine.steps import LossFn, Static, StepFn, merge

if TYPE_CHECKING:
    from genkit.engine.optimized import OptimizedModel


class Engine(abc.ABC):
    """The adaptor of one backend for one model.

    Args:
        model: a model whose networks are built and whose optimizers are named.
        kept: see ``ModelState``.
    """

    def __init__(
        self, model: OptimizedModel, kept: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.model = model
        self.collective = of_this_process()
        self.state = ModelState(model, kept)
        for optimizer in model.optimizers.values():
            self._use_fused_update(getattr(optimizer, "inner_optimizer", optimizer))

    @abc.abstractmethod
    def gradients(
        self, name: str, fn: LossFn, *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        """Differentiate a loss with respect to the variables that ``name`` owns.

        Args:
            name: a named optimizer of the model.
            fn: returns a scalar loss, or ``(loss, logs)``.
            *inputs: what ``fn`` is called with.

        Returns:
            ``((loss, logs), gradients)``; the loss is unscaled, the gradients carry the
            optimizer's loss scale, which ``apply`` takes out again; zero where the loss does not
            depend on a variable, so that every backend does the same update.
        """

    @abc.abstractmethod
    def per_example_gradients(
        self, name: str, fn: LossFn, *inputs: Any, clip: float
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        """Differentiate each example's loss alone, clip it, and average (DP-SGD's first half).

        Each example's whole gradient is scaled to an L2 norm of at most ``clip`` (Abadi et al.
        2016, algorithm 1). All tensors in ``inputs`` with a batch axis are split along it.

        Args:
            name: a named optimizer of the model.
            fn: as for ``gradients``; is called with batches of one.
            *inputs: nested tensors with the batch as first axis; scalars are shared.
            clip: largest L2 norm of one example's gradient.

        Returns:
            ``((mean loss, mean logs), mean of the clipped gradients)``; like those of
            ``gradients`` they carry the optimizer's loss scale, put on after clipping.

        Raises:
            UsageError: a network of ``name`` has batch normalisation: its output for one example
                depends on the others, so no per-example gradient exists.
        """

    def _use_fused_update(self, optimizer: Any) -> None:  # noqa: B027 - nothing to do by default
        """Replace a Keras optimizer's own update by a faster one with the same state and result."""

    def _scaled(self, name: str, gradients: Sequence[Any]) -> list[Any]:
        """Put the optimizer's loss scale on gradients that were taken without it."""
        scale = self.model.optimizers[name].scale_loss(1.0)
        return [gradient * scale for gradient in gradients]

    @contextmanager
    def scaled_learning_rates(self, factors: Mapping[str, Any]) -> Iterator[None]:
        """Multiply learning rates of the updates inside the block, which is part of a step.

        The optimizers' own rates stay what they are: callbacks may set them meanwhile.

        Args:
            factors: float32 scalar tensors by optimizer.
        """
        with ExitStack() as stack:
            for name, factor in factors.items():
                optimizer = self.model.optimizers[name]
                inner = getattr(optimizer, "inner_optimizer", optimizer)
                stack.enter_context(scaled_learning_rate(inner, factor))
            yield

    def apply(self, name: str, gradients: Sequence[Any]) -> None:
        """Update the variables that ``name`` owns, and its optimizer."""
        self.model.optimizers[name].apply(list(gradients))

    @classmethod
    @abc.abstractmethod
    def connect(
        cls, rank: int, size: int, exchange: Callable[[Any], list[Any]], addresses: list[str]
    ) -> Collective:
        """See ``genkit.engine.connect``."""

    def merge(self, losses: Mapping[str, Any]) -> dict[str, Any]:
        """Return the means of a step's losses over workers; merge running numbers, inside a step.

        Each running number becomes the mean of the workers', or that of the first, as it was
        declared; see ``Model.add_state``.
        """
        if not self.collective.apart:
            return dict(losses)
        averaged, first = self.state.averaged.values(), self.state.of_the_first.values()
        share, whose = 1.0 / self.collective.size, 0.0 if self.collective.rank else 1.0
        parts = [keras.ops.convert_to_tensor(x) * share for x in (*losses.values(), *averaged)]
        parts += [keras.ops.convert_to_tensor(x) * whose for x in first]
        summed = self.collective.sum(parts)
        for variable, value in zip((*averaged, *first), summed[len(losses) :], strict=True):
            variable.assign(value)
        return dict(zip(losses, summed, strict=False))

    def compile_step(self, fn: StepFn) -> Callable[[Any, Static], dict[str, Any]]:
        """Compile one training step.

        Args:
            fn: takes the batch (a flat dict of arrays, see ``checked_batch``, or a tuple of such),
                updates the model through this engine, returns scalars by name.

        Returns:
            ``step(batch, static)``: ``static`` holds hashable values by name that are merged into
            the batch before tracing; each new combination compiles once.
        """
        return _variants(fn, self._compile)

    def compile_evaluation(self, fn: StepFn) -> Callable[[Any, Static], dict[str, Any]]:
        """Compile what looks at a batch and leaves the model as it is.

        Layers behave as in generation, whatever ``training`` they are called with, and what ``fn``
        assigns to a variable is forgotten.

        Args:
            fn: takes the batch as in ``compile_step``, returns scalars by name.

        Returns:
            ``evaluate(batch, static)``, as ``compile_step`` does.
        """

        def unlearned(batch: Any) -> dict[str, Any]:
            with as_in_generation(self.model):
                return fn(batch)

        return _variants(unlearned, self._compile_evaluation)

    @abc.abstractmethod
    def _compile(self, fn: StepFn) -> StepFn:
        """Compile a function that updates the model's variables."""

    @abc.abstractmethod
    def _compile_evaluation(self, fn: StepFn) -> StepFn:
        """Compile a function whose updates of variables are forgotten."""

    @property
    def eager(self) -> str:
        """Why a training step runs one operation at a time; empty where all are compiled."""
        return ""

    def compile_inference(self, fn: Callable[..., Any], fetch: bool = True) -> Callable[..., Any]:
        """Compile a function that updates nothing.

        Args:
            fn: takes tensors by keyword, returns a tensor or nested ones.
            fetch: bring what it returns to the host.

        Returns:
            the same function of numpy arrays or tensors, nested or not; it returns numpy arrays,
            or else tensors, which stay on the device.
        """
        compiled = self._compile_inference(fn)
        if not fetch:
            return compiled

        def infer(**inputs: Any) -> Any:
            return keras.tree.map_structure(keras.ops.convert_to_numpy, compiled(**inputs))

        return infer

    @abc.abstractmethod
    def _compile_inference(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Compile a function that updates nothing; what it returns stays on the device."""

    @staticmethod
    @abc.abstractmethod
    def input_gradient(fn: Callable[[Any], Any], x: Any) -> Any:
        """See ``genkit.gradient``."""

    @staticmethod
    def run_loop(
        step: Callable[[Any, Any], Any], state: Any, steps: Any, until: Callable[[Any], Any] | None
    ) -> Any:
        """Run a loop of checked steps; see ``genkit.loop``."""
        if until is None:
            return keras.ops.fori_loop(0, steps, step, state)

        def goes_on(number: Any, state: Any) -> Any:
            on = keras.ops.logical_not(until(state))
            return on if steps is None else keras.ops.logical_and(on, number < steps)

        def advance(number: Any, state: Any) -> tuple[Any, Any]:
            return number + 1, step(number, state)

        return keras.ops.while_loop(goes_on, advance, (0, state))[1]

    @abc.abstractmethod
    def synchronize(self) -> None:
        """Wait until the device has finished what it was given."""

    @staticmethod
    @abc.abstractmethod
    def device() -> dict[str, Any]:
        """Describe the device and the thread count, for ``environment.json``."""

    def begin_step(self, seed: int, step: int) -> None:  # noqa: B027 - nothing to do by default
        """Prepare layer randomness for a step; only backends with global generators need it."""

    def fetch(self, logs: Mapping[str, Any]) -> dict[str, float]:
        """Bring a step's scalars to the host."""
        return {name: float(keras.ops.convert_to_numpy(value)) for name, value in logs.items()}


def _variants(
    fn: StepFn, compiler: Callable[[StepFn], StepFn]
) -> Callable[[Any, Static], dict[str, Any]]:
    """Compile a function once for each combination of static values, when it comes."""
    variants: dict[Static, StepFn] = {}

    def step(batch: Any, static: Static = ()) -> dict[str, Any]:
        if static not in variants:
            extra = dict(static)
            variants[static] = compiler(lambda b: fn(merge(b, extra)))
        several = isinstance(batch, tuple)
        checked = tuple(map(checked_batch, batch)) if several else checked_batch(batch)
        return variants[static](checked)

    return step
