"""Named optimizers of a model: what each owns, and what each averages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from genkit.engine.keras_inside import all_layers, trained_variables
from genkit.engine.optimized import OptimizerGroup, for_precision
from genkit.errors import UsageError
from genkit.models.averages import Averages


class Optimizing:
    """The part of ``genkit.Model`` that knows its optimizers."""

    optimizers: dict[str, Any]
    _networks: dict[str, tuple[Any, ...]]
    weight_averages: dict[str, Averages]
    """Those that were asked for with ``add_averages``, by the optimizer's name."""

    def add_optimizer(self, name: str, optimizer: Any, *networks: Any) -> None:
        """Name an optimizer and the networks it owns.

        Args:
            name: what ``minimize`` calls it.
            optimizer: a ``keras.optimizers.Optimizer``, not yet used elsewhere; for networks that
                compute in float16 it is wrapped in a ``LossScaleOptimizer``.
            *networks: built Keras layers or models whose trainable weights it updates.

        Raises:
            UsageError: a network isn't built, or the name or the optimizer is used twice.
        """
        if name in self.optimizers or any(optimizer is o for o in self.optimizers.values()):
            raise UsageError(f"The optimizer {name!r} is added twice, or shared by two names.")
        for network in networks:
            if not network.built:
                raise UsageError(
                    f"The network {network.name!r} given to {name!r} is not built yet.",
                    "Begin it with keras.Input(shape), or call it once on a batch.",
                )
        variables = [v for network in networks for v in network.trainable_variables]
        if not variables:
            raise UsageError(f"The networks given to {name!r} have no trainable weights.")
        self._networks[name] = networks
        self.optimizers[name] = for_precision(optimizer, self.owned_layers(name))
        self.optimizers[name].build(variables)

    def add_averages(self, name: str, half_life: float, *, ramp: float = 0.05) -> None:
        """Have all that a named optimizer's networks keep averaged while it is trained.

        Weights and running numbers, such as the statistics of batch normalisation: what is
        generated, validated and exported comes from the averages, as it does from those of a Keras
        optimizer with ``use_ema=True``. They are updated once a step, whatever the batch size.

        Args:
            name: of an optimizer that was added.
            half_life: after how many items of training a weight counts half.
            ramp: the half-life is at most this share of the items seen so far; 0: it is the same
                from the first step on.

        Raises:
            UsageError: no optimizer has that name, it averages weights itself or is named twice;
                a half-life of 0 or below.
        """
        self.owned_variables(name)
        if name in self.weight_averages or _inner(self.optimizers[name]).use_ema:
            raise UsageError(
                f"The weights of {name!r} are averaged already.",
                "Leave out use_ema, or the second add_averages.",
            )
        variables = [v for network in self._networks[name] for v in network.variables]
        distinct = {id(variable): variable for variable in variables}.values()
        self.weight_averages[name] = Averages(list(distinct), half_life, ramp)

    def owned_variables(self, name: str) -> list[Any]:
        """List the trainable variables that a named optimizer owns.

        Raises:
            UsageError: no optimizer has that name.
        """
        if name not in self._networks:
            raise UsageError(
                f"Expected one of the optimizers {', '.join(self._networks) or '(none added)'}; "
                f"received {name!r}."
            )
        # The optimizer's own list: it stays when a network is frozen for a while.
        return trained_variables(self.optimizers[name])

    def owned_layers(self, name: str) -> list[Any]:
        """List every layer, however deep, of the networks that a named optimizer owns."""
        return [layer for network in self._networks[name] for layer in all_layers(network)]

    @property
    def optimizer(self) -> OptimizerGroup | None:
        """All named optimizers, in the form that Keras callbacks understand."""
        return OptimizerGroup(list(self.optimizers.values())) if self.optimizers else None

    def use_averaged_weights(self) -> None:
        """Replace the weights by their averages, where any are kept."""
        for name, optimizer in self.optimizers.items():
            inner = _inner(optimizer)
            if not int(keras.ops.convert_to_numpy(inner.iterations.value)):
                continue  # before the first update the averages are none
            if inner.use_ema:
                variables = self.owned_variables(name)
                inner.finalize_variable_values(variables)
                for variable in variables:
                    # A copy of its own: JAX would refuse to donate a buffer that two share.
                    variable.assign(np.array(keras.ops.convert_to_numpy(variable.value)))
            if name in self.weight_averages:
                self.weight_averages[name].use()

    @contextmanager
    def averaged_weights(self) -> Iterator[None]:
        """Use averaged weights, where there are any, inside the block."""
        averaged = [
            variable
            for name, optimizer in self.optimizers.items()
            if _inner(optimizer).use_ema
            for variable in self.owned_variables(name)
        ]
        averaged += [v for each in self.weight_averages.values() for v, _ in each.pairs]
        kept = [(v, np.array(keras.ops.convert_to_numpy(v.value))) for v in averaged]
        self.use_averaged_weights()
        try:
            yield
        finally:
            for variable, value in kept:
                variable.assign(value)


def _inner(optimizer: Any) -> Any:
    """Return the optimizer that a wrapping one, which scales the loss, wraps."""
    return getattr(optimizer, "inner_optimizer", optimizer)
