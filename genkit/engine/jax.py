"""JAX: one jitted function over all of the model's state.

The state is derived, not listed by the author: what one forgets to list would freeze silently.
A ``keras.StatelessScope`` holds the state while the step is traced. A nested scope REPLACES the
outer one, so every nested scope starts from a copy of the outer one's values and hands back what
changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import jax
import keras
from jax import numpy as jnp

from genkit.engine import keras_inside
from genkit.engine.base import Engine
from genkit.engine.collective import Collective
from genkit.engine.gradients import clip_factor, refuse_batch_statistics
from genkit.engine.jax_collective import JaxCollective
from genkit.engine.scope import Scope
from genkit.engine.steps import LossFn, StepFn, split_loss
from genkit.errors import UsageError
from genkit.plan.precision import cpu_flags


class _Pure:
    """A loss function made pure: ``(values, *inputs) -> (loss, (logs, updated values))``.

    What a trace learns besides arrays is kept here: the logs' names, since JAX hands dicts back
    sorted, and the Keras variables that ``fn`` assigned to.
    """

    def __init__(self, fn: Callable[..., Any], variables: list[Any]) -> None:
        self._fn = fn
        self._variables = variables
        self._names: list[str] = []
        self._updated: list[Any] = []

    def __call__(self, values: list[Any], *inputs: Any) -> Any:
        with Scope(list(zip(self._variables, values, strict=True))) as scope:
            loss, logs = split_loss(self._fn(*inputs))
        self._names = list(logs)
        self._updated = list(scope.updated.values())
        new_values = [scope.get_current_value(variable) for variable in self._updated]
        return loss, (list(logs.values()), new_values)

    def named(self, logs: list[Any]) -> dict[str, Any]:
        """Return the logs under their names."""
        return dict(zip(self._names, logs, strict=True))

    def hand_back(self, new_values: list[Any]) -> None:
        """Assign the updated values in the surrounding scope."""
        _assign(self._updated, new_values)


def _assign(variables: list[Any], values: list[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


class BackendEngine(Engine):
    """The engine for JAX."""

    @classmethod
    def connect(
        cls, rank: int, size: int, exchange: Callable[[Any], list[Any]], addresses: list[str]
    ) -> Collective:
        return JaxCollective(rank, size, exchange, addresses)

    def gradients(
        self, name: str, fn: LossFn, *inputs: Any
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        variables = self.model.owned_variables(name)
        optimizer = self.model.optimizers[name]
        pure = _Pure(fn, variables)

        def scaled(values: list[Any], *inputs: Any) -> Any:
            loss, (logs, new) = pure(values, *inputs)
            return optimizer.scale_loss(loss), (loss, logs, new)

        values = [v.value for v in variables]
        (_, (loss, logs, new)), gradients = jax.value_and_grad(scaled, has_aux=True)(
            values, *inputs
        )
        pure.hand_back(new)
        return (loss, pure.named(logs)), gradients

    def per_example_gradients(
        self, name: str, fn: LossFn, *inputs: Any, clip: float
    ) -> tuple[tuple[Any, dict[str, Any]], list[Any]]:
        refuse_batch_statistics(name, self.model.owned_layers(name))
        variables = self.model.owned_variables(name)
        pure = _Pure(fn, variables)

        def one(values: list[Any], *example: Any) -> Any:
            batch_of_one = jax.tree.map(
                lambda x, a: x if a is None else x[None], example, axes, is_leaf=_is_none
            )
            (loss, (logs, new)), gradients = jax.value_and_grad(pure, has_aux=True)(
                values, *batch_of_one
            )
            factor = clip_factor(gradients, clip)
            return (loss, logs), [g * factor for g in gradients], new

        axes = jax.tree.map(lambda x: 0 if jnp.ndim(x) else None, inputs)
        values = [v.value for v in variables]
        losses, gradients, new = jax.vmap(one, in_axes=(None, *axes))(values, *inputs)
        # Layer randomness advances alike for every example: any example's new state will do.
        pure.hand_back([value[0] for value in new])
        (loss, logs), gradients = jax.tree.map(lambda x: x.mean(axis=0), (losses, gradients))
        return (loss, pure.named(logs)), self._scaled(name, gradients)

    def apply(self, name: str, gradients: Any) -> None:
        # `stateless_apply`: the stateful form of loss-scaled optimizers leaks a tracer.
        optimizer = self.model.optimizers[name]
        variables = self.model.owned_variables(name)
        new_values, new_slots = optimizer.stateless_apply(
            [v.value for v in optimizer.variables], list(gradients), [v.value for v in variables]
        )
        _assign(variables, new_values)
        _assign(optimizer.variables, new_slots)

    def _compile(self, fn: StepFn) -> StepFn:
        variables = self.state.variables
        known = {id(variable) for variable in variables}

        names: list[str] = []

        def pure_step(values: list[Any], batch: Any) -> tuple[list[Any], list[Any]]:
            with Scope(list(zip(variables, values, strict=True))) as scope:
                logs = fn(batch)
            names[:] = logs  # JAX would hand a dict back sorted
            for key, variable in scope.updated.items():
                if key not in known:
                    raise UsageError(
                        f"The step changed {variable.path!r}, which the model does not own, so "
                        "the change would be lost.",
                        "Assign its layer to an attribute of the model; let a gradient transform "
                        "make in build what it keeps.",
                    )
            return list(logs.values()), [scope.get_current_value(v) for v in variables]

        if isinstance(self.collective, JaxCollective):
            return _of_workers(pure_step, variables, names, self.collective)
        jitted = jax.jit(pure_step, donate_argnums=0, compiler_options=compiler_options())

        def step(batch: Any) -> dict[str, Any]:
            # Not `value` and `assign`: for a small network their checks take as long as the step,
            # and what comes out of a compiled step has the shapes and dtypes of what went in.
            logs, new = jitted(keras_inside.values(variables), batch)
            keras_inside.set_values(variables, new)
            return dict(zip(names, logs, strict=True))

        return step

    def _compile_evaluation(self, fn: StepFn) -> StepFn:
        variables = self.state.variables
        names: list[str] = []

        @partial(jax.jit, compiler_options=compiler_options())
        def pure(values: list[Any], batch: Any) -> list[Any]:
            with Scope(list(zip(variables, values, strict=True))):
                logs = fn(batch)
            names[:] = logs
            return list(logs.values())

        def evaluate(batch: Any) -> dict[str, Any]:
            return dict(zip(names, pure(keras_inside.values(variables), batch), strict=True))

        return evaluate

    def _compile_inference(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        variables = self.state.variables

        @partial(jax.jit, compiler_options=compiler_options())
        def pure(values: list[Any], inputs: dict[str, Any]) -> Any:
            with Scope(list(zip(variables, values, strict=True))):
                return fn(**inputs)

        return lambda **inputs: pure([v.value for v in variables], inputs)

    @staticmethod
    def input_gradient(fn: Callable[[Any], Any], x: Any) -> Any:
        pure = _Pure(lambda x: keras.ops.sum(fn(x)), [])
        gradient, (_, new) = jax.grad(lambda x: pure([], x), has_aux=True)(x)
        pure.hand_back(new)
        return gradient

    def synchronize(self) -> None:
        jax.block_until_ready([v.value for v in self.state.variables])

    @staticmethod
    def device() -> dict[str, Any]:
        first = jax.devices()[0]
        return {
            "platform": first.platform,
            "device": first.device_kind,
            "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        }

    def fetch(self, logs: Any) -> dict[str, float]:
        values = jax.device_get(list(logs.values()))
        return {name: float(value) for name, value in zip(logs, values, strict=True)}


def _of_workers(
    pure_step: Callable[..., Any],
    variables: list[Any],
    names: list[str],
    collective: JaxCollective,
) -> StepFn:
    """Compile a step as one program of all workers, each of which has a part of the batch."""
    jitted = jax.jit(
        pure_step,
        donate_argnums=0,
        out_shardings=collective.replicated,
        compiler_options=compiler_options(),
    )

    def step(batch: Any) -> dict[str, Any]:
        values = collective.shared(keras_inside.values(variables))
        logs, new = jitted(values, collective.whole(batch))
        keras_inside.set_values(variables, collective.own(new))
        return dict(zip(names, (x.addressable_data(0) for x in logs), strict=True))

    return step


@cache
def compiler_options() -> dict[str, str]:
    """Return what makes XLA's programs faster here.

    On processors without AVX-512, XLA's own convolutions are faster than those of YNNPACK, which it
    prefers by default: a VAE's step took 133 ms instead of 237, a DCGAN's 397 instead of 534.
    """
    if jax.default_backend() != "cpu" or "avx2" not in cpu_flags() or "avx512f" in cpu_flags():
        return {}
    options = {"xla_cpu_experimental_ynn_fusion_type": ""}
    try:
        jax.jit(lambda: 0, compiler_options=options).lower().compile()
    except jax.errors.JaxRuntimeError:
        return {}  # another version of XLA, without YNNPACK
    return options


def _is_none(x: Any) -> bool:
    return x is None
