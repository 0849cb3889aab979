"""PyTorch: autograd of just the named variables, recorded once and run from the recording.

Keras Dropout draws from torch's global generator, whatever its own seed; seeding that generator
from (seed, step) before each step is what makes a resumed run repeat the same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import keras
import numpy as np
import torch
from torch.utils import _pytree as pytree

from genkit.engine.base import (
    Engine,
    LossFn,
    StepFn,
    adam_slots,
    clip_factor,
    fill_missing,
    is_plain_adam,
    refuse_batch_statistics,
    split_loss,
)
from genkit.engine.torch_graph import RecordedStep

# Arrays that become tensors of their own dtype; Keras maps the others to one it supports.
_KEPT_DTYPES = frozenset({"float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"})


class BackendEngine(Engine):
    """The engine for PyTorch."""

    def _quicken(self, optimizer: Any) -> None:
        if is_plain_adam(optimizer):
            optimizer._backend_update_step = partial(_fused_adam, optimizer)  # noqa: SLF001
        elif isinstance(optimizer, keras.optimizers.SGD | keras.optimizers.Adadelta):
            # Keras' form for PyTorch looks into the learning rate, which can't be recorded.
            optimizer._backend_update_step = partial(_one_by_one, optimizer)  # noqa: SLF001

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
        values = [v.value for v in self.model.owned_variables(name)]
        inputs = pytree.tree_map(keras.ops.convert_to_tensor, inputs)
        batch_size = max(x.shape[0] for x in pytree.tree_leaves(inputs) if x.ndim)

        def one(index: int) -> tuple[Any, list[Any]]:
            example = pytree.tree_map(lambda x: x[index : index + 1] if x.ndim else x, inputs)
            loss, logs = split_loss(fn(*example))
            found = torch.autograd.grad(loss, values, allow_unused=True)
            gradients = fill_missing(name, found, values)
            factor = clip_factor(gradients, clip)
            return (loss.detach(), _detached(logs)), [g * factor for g in gradients]

        # One example after the other: memory stays that of one gradient.
        total = one(0)
        for index in range(1, batch_size):
            leaves, structure = pytree.tree_flatten(total)
            added = [a + b for a, b in zip(leaves, pytree.tree_leaves(one(index)), strict=True)]
            total = pytree.tree_unflatten(added, structure)
        losses, gradients = pytree.tree_map(lambda x: x / batch_size, total)
        return losses, self._scaled(name, gradients)

    def apply(self, name: str, gradients: Any) -> None:
        with torch.no_grad():
            super().apply(name, gradients)

    def _compile(self, fn: StepFn) -> StepFn:
        recorded = RecordedStep(lambda batch: _detached(fn(batch)), self.state.variables)
        return lambda batch: recorded(pytree.tree_map(_tensor, batch))

    def compile_inference(self, fn: Callable[..., Any]) -> Callable[..., np.ndarray]:
        def run(**inputs: Any) -> np.ndarray:
            with torch.no_grad():
                tensors = {k: keras.ops.convert_to_tensor(v) for k, v in inputs.items()}
                array: np.ndarray = keras.ops.convert_to_numpy(fn(**tensors))
            return array

        return run

    @staticmethod
    def input_gradient(fn: Callable[[Any], Any], x: Any) -> Any:
        differentiable_again = torch.is_grad_enabled()
        with torch.enable_grad():
            x = keras.ops.convert_to_tensor(x)
            if not x.requires_grad:
                x = x.detach().requires_grad_()
            y = fn(x).sum()
            if not y.requires_grad:
                return torch.zeros_like(x)
            return torch.autograd.grad(y, x, create_graph=differentiable_again)[0]

    def begin_step(self, seed: int, step: int) -> None:
        mixed = np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0]
        if keras.src.backend.torch.core.get_device() == "cpu":
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
        torch._fused_adam_(
            values,
            [gradient.contiguous() for gradient in gradients],
            *adam_slots(optimizer, variables),
            [],
            [torch.full_like(step, math.inf)] * len(values),
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


def _tensor(x: Any) -> Any:
    """Give an array as a tensor; on the CPU without a copy, which Keras would make."""
    kept = isinstance(x, np.ndarray) and x.dtype.name in _KEPT_DTYPES
    if kept and x.flags.writeable and x.flags.c_contiguous:
        return torch.as_tensor(x, device=keras.src.backend.torch.core.get_device())
    return keras.ops.convert_to_tensor(x)


def _detached(logs: dict[str, Any]) -> dict[str, Any]:
    # A copy: a logged variable would show what the next step makes of it.
    return {k: v.detach().clone() if isinstance(v, torch.Tensor) else v for k, v in logs.items()}
