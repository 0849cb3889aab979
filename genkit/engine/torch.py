"""PyTorch: autograd of just the named variables, recorded once and run from the recording.

Keras Dropout draws from torch's global generator, whatever its own seed; seeding that generator
from (seed, step) before each step is what makes a resumed run repeat the same bits.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import torch

from genkit.engine.base import Engine
from genkit.engine.collective import Collective
from genkit.engine.gradients import (
    clip_factor,
    fill_missing,
    is_plain_adam,
    refuse_batch_statistics,
)
from genkit.engine.keras_inside import adam_slots, replace_update
from genkit.engine.optimized import OptimizedModel
from genkit.engine.scope import Scope
from genkit.engine.steps import LossFn, StepFn, split_loss
from genkit.engine.torch_collective import TorchCollective
from genkit.engine.torch_graph import Recorded
from genkit.engine.torch_inside import (
    fused_adam,
    inside_vmap,
    keras_device,
    pytree,
    use_whole_teams,
)
from genkit.engine.torch_loop import run_loop

_MOST_NUMBERS = 1 << 26  # in the gradients of examples that are computed together: 256 MiB
# Arrays that become tensors of their own dtype; Keras maps the others to one it supports.
_KEPT_DTYPES = frozenset({"float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"})


class BackendEngine(Engine):
    """The engine for PyTorch."""

    def __init__(
        self, model: OptimizedModel, kept: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__(model, kept)
        self._recorded: list[Recorded] = []
        if use_whole_teams():
            warnings.warn(
                "OMP_DYNAMIC is switched off: with it, a training step on PyTorch may never end.",
                stacklevel=2,
            )

    def _use_fused_update(self, optimizer: Any) -> None:
        if is_plain_adam(optimizer):
            replace_update(optimizer, _fused_adam)
        elif isinstance(optimizer, keras.optimizers.SGD | keras.optimizers.Adadelta):
            # Keras' form for PyTorch looks into the learning rate, which can't be recorded.
            replace_update(optimizer, _one_by_one)

    @classmethod
    def connect(
        cls, rank: int, size: int, exchange: Callable[[Any], list[Any]], addresses: list[str]
    ) -> Collective:
        return TorchCollective(rank, size, exchange, addresses)

    def gradients(
        self, name: str, fn: LossFn, *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        loss, logs = split_loss(fn(*inputs))
        scaled = self.model.optimizers[name].scale_loss(loss)
        values = [v.value for v in self.model.owned_variables(name)]
        gradients = (
            torch.autograd.grad(scaled, values, allow_unused=True)
            if scaled.requires_grad
            else [None] * len(values)
        )
        return (loss.detach(), _detached(logs)), fill_missing(name, gradients, values)

    def per_example_gradients(
        self, name: str, fn: LossFn, *inputs: Any, clip: float
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        refuse_batch_statistics(name, self.model.owned_layers(name))
        inputs = pytree.tree_map(keras.ops.convert_to_tensor, inputs)
        variables = self.model.owned_variables(name)
        try:
            losses, gradients = _clipped_together(name, variables, fn, inputs, clip)
        except (RuntimeError, NotImplementedError):
            # `vmap` refuses what it can't do; what is wrong in itself will fail here too.
            losses, gradients = _clipped_in_turn(name, variables, fn, inputs, clip)
        return losses, self._scaled(name, gradients)

    def apply(self, name: str, gradients: Any) -> None:
        with torch.no_grad():
            super().apply(name, gradients)

    def _compile(self, fn: StepFn) -> StepFn:
        recorded = Recorded(lambda batch: _detached(fn(batch)), self.state.variables)
        self._recorded.append(recorded)
        return lambda batch: recorded(pytree.tree_map(_tensor, batch))

    def _compile_evaluation(self, fn: StepFn) -> StepFn:
        def evaluate(batch: Any) -> dict[str, Any]:
            with torch.no_grad(), Scope():
                return _detached(fn(batch))

        recorded = Recorded(evaluate, self.state.variables, "validation step")
        return lambda batch: recorded(pytree.tree_map(_tensor, batch))

    @property
    def eager(self) -> str:
        return next((step.eager for step in self._recorded if step.eager), "")

    def _compile_inference(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        def infer(inputs: dict[str, Any]) -> Any:
            with torch.no_grad():
                return fn(**inputs)

        recorded = Recorded(infer, self.state.variables, f"method {_name_of(fn)}()")
        return lambda **inputs: recorded(_distinct_tensors(inputs))

    @staticmethod
    def input_gradient(fn: Callable[[Any], Any], x: Any) -> Any:
        if inside_vmap():
            return torch.func.grad(lambda x: fn(x).sum())(x)
        differentiable_again = torch.is_grad_enabled()
        with torch.enable_grad():
            x = keras.ops.convert_to_tensor(x)
            if not x.requires_grad:
                x = x.detach().requires_grad_()
            y = fn(x).sum()
            if not y.requires_grad:
                return torch.zeros_like(x)
            return torch.autograd.grad(y, x, create_graph=differentiable_again)[0]

    @staticmethod
    def run_loop(
        step: Callable[[Any, Any], Any], state: Any, steps: Any, until: Callable[[Any], Any] | None
    ) -> Any:
        return run_loop(step, state, steps, until)

    def begin_step(self, seed: int, step: int) -> None:
        # Workers draw for different items: alike, they would drop the same units in each part.
        whose = [self.collective.rank] if self.collective.rank else []
        mixed = np.random.SeedSequence([seed, step, *whose]).generate_state(1, np.uint64)[0]
        if keras_device() == "cpu":
            # Not `torch.manual_seed`: it notes the caller's stack for every absent accelerator.
            torch.default_generator.manual_seed(int(mixed) >> 1)
        else:
            torch.manual_seed(int(mixed) >> 1)

    def synchronize(self) -> None:
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    @staticmethod
    def device() -> dict[str, Any]:
        cuda = torch.cuda.is_available()
        return {
            "platform": "gpu" if cuda else "cpu",
            "device": torch.cuda.get_device_name() if cuda else "cpu",
            "threads": torch.get_num_threads(),
        }

    def fetch(self, logs: Any) -> dict[str, float]:
        return {name: float(value) for name, value in logs.items()}


def _clipped_together(
    name: str, variables: list[Any], fn: LossFn, inputs: Any, clip: float
) -> tuple[Any, list[Any]]:
    """Return means over examples of losses and clipped gradients; many examples at a time.

    Each example gets weights of its own, all alike: the gradient of the sum of the losses is then
    one of each example. Networks run once, on all of them, by `vmap`.
    """
    axes = pytree.tree_map(lambda x: 0 if x.ndim else None, inputs)
    changed: list[Any] = []

    def one(values: list[Any], *example: Any) -> Any:
        batch_of_one = pytree.tree_map(lambda x, a: x if a is None else x[None], example, axes)
        scope = Scope(list(zip(variables, values, strict=True)))
        with scope:
            losses = split_loss(fn(*batch_of_one))
        changed[:] = scope.updated.values()
        new = [scope.get_current_value(variable) for variable in changed]
        return pytree.tree_map(keras.ops.convert_to_tensor, (losses, new))

    size = _batch_size(inputs)
    numbers = sum(variable.value.numel() for variable in variables)
    most = max(1, min(size, _MOST_NUMBERS // numbers))
    totals = []
    for start in range(0, size, most):
        some = pytree.tree_map(lambda x, s=start: x[s : s + most] if x.ndim else x, inputs)
        n = _batch_size(some)
        values = [v.value.detach().expand(n, *v.shape).requires_grad_() for v in variables]
        (losses, logs), new = torch.vmap(one, (0, *axes), randomness="different")(values, *some)
        found = torch.autograd.grad(losses.sum(), values, allow_unused=True)
        gradients = fill_missing(name, found, values)
        factors = torch.vmap(lambda *each: clip_factor(each, clip))(*gradients)
        clipped = [torch.tensordot(factors.to(g.dtype), g, 1) for g in gradients]
        summed = pytree.tree_map(lambda x: x.detach().sum(0), (losses, logs))
        totals.append((summed, clipped))
    with torch.no_grad():
        # What layers keep advances alike for every example: any example's new state will do.
        for variable, value in zip(changed, new, strict=True):
            variable.assign(value[0])
    mean: tuple[Any, list[Any]] = pytree.tree_map(lambda *parts: sum(parts) / size, *totals)
    return mean


def _clipped_in_turn(
    name: str, variables: list[Any], fn: LossFn, inputs: Any, clip: float
) -> tuple[Any, list[Any]]:
    """Return the same, one example after the other: slower, in the memory of one gradient."""
    values = [variable.value for variable in variables]

    def one(index: int) -> tuple[Any, list[Any]]:
        example = pytree.tree_map(lambda x: x[index : index + 1] if x.ndim else x, inputs)
        loss, logs = split_loss(fn(*example))
        found = torch.autograd.grad(loss, values, allow_unused=True)
        gradients = fill_missing(name, found, values)
        factor = clip_factor(gradients, clip)
        return (loss.detach(), _detached(logs)), [g * factor for g in gradients]

    size = _batch_size(inputs)
    total = one(0)
    for index in range(1, size):
        leaves, structure = pytree.tree_flatten(total)
        added = [a + b for a, b in zip(leaves, pytree.tree_leaves(one(index)), strict=True)]
        total = pytree.tree_unflatten(added, structure)
    mean: tuple[Any, list[Any]] = pytree.tree_map(lambda x: x / size, total)
    return mean


def _batch_size(inputs: Any) -> int:
    return max(int(x.shape[0]) for x in pytree.tree_leaves(inputs) if x.ndim)


def _fused_adam(
    optimizer: Any, gradients: list[Any], variables: list[Any], learning_rate: Any
) -> None:
    """Do Adam's update of all variables in one kernel, as Keras writes it.

    Keras, like section 2 of Kingma and Ba 2014, puts the bias corrections into the step size;
    PyTorch's kernel applies them to the moments, which moves epsilon. At step infinity its
    corrections are 1, and the step size handed to it can hold Keras'.
    """
    step = (keras.ops.convert_to_tensor(optimizer.iterations) + 1).float()
    corrections = (1 - optimizer.beta_2**step).sqrt() / (1 - optimizer.beta_1**step)
    values = [variable.value for variable in variables]
    with torch.no_grad():
        fused_adam(
            values,
            [gradient.contiguous() for gradient in gradients],
            moments=adam_slots(optimizer, variables),
            steps=[torch.full_like(step, math.inf)] * len(values),
            lr=keras.ops.convert_to_tensor(learning_rate) * corrections,
            beta1=optimizer.beta_1,
            beta2=optimizer.beta_2,
            weight_decay=0.0,
            eps=optimizer.epsilon,
            amsgrad=False,
            maximize=False,
        )


def _one_by_one(
    optimizer: Any, gradients: list[Any], variables: list[Any], learning_rate: Any
) -> None:
    for gradient, variable in zip(gradients, variables, strict=True):
        optimizer.update_step(gradient, variable, learning_rate)


def _name_of(fn: Callable[..., Any]) -> str:
    method = fn.func if isinstance(fn, partial) else fn
    return getattr(method, "__name__", type(method).__name__)


def _distinct_tensors(inputs: Any) -> Any:
    """Return nested arrays as tensors, each of its own: the recorder tells them by identity."""
    seen: set[int] = set()

    def distinct(x: Any) -> Any:
        tensor = keras.ops.convert_to_tensor(x)
        if id(tensor) in seen:
            tensor = tensor.clone()
        seen.add(id(tensor))
        return tensor

    return pytree.tree_map(distinct, inputs)


def _tensor(x: Any) -> Any:
    """Return an array as a tensor; on the CPU without a copy, which Keras would make."""
    kept = isinstance(x, np.ndarray) and x.dtype.name in _KEPT_DTYPES
    if kept and x.flags.writeable and x.flags.c_contiguous:
        return torch.as_tensor(x, device=keras_device())
    return keras.ops.convert_to_tensor(x)


def _detached(logs: dict[str, Any]) -> dict[str, Any]:
    # A copy: a logged variable would show what the next step makes of it.
    return {k: v.detach().clone() if isinstance(v, torch.Tensor) else v for k, v in logs.items()}
