"""What GenKit uses of Keras' inside: every name that Keras doesn't promise to keep.

Each function says why nothing public will do. When a new Keras breaks one,
``tests/engine/test_inside.py`` says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import keras

# Attributes under which Keras and the frameworks keep what also stands under a name of its own.
BOOKKEEPING = frozenset(
    {"_buffers", "_functional", "_layers", "_metrics", "_modules", "_operations", "_parameters"}
)

REASSIGNED = frozenset({"_call_context_args", "_losses_override"})
"""Attributes that Keras itself sets on a model after it was made."""


@cache
def attributes_of_a_new_model() -> frozenset[str]:
    """Return what Keras and the framework keep in a model's attributes; no list of it is public."""
    return frozenset(vars(keras.Model(name="new")))


def all_layers(layer: Any) -> list[Any]:
    """Return a layer and all below it, however deep, some more than once.

    The public list, ``layers``, has those right below it.
    """
    return list(layer._flatten_layers())


def own_variables(layer: Any) -> list[Any]:
    """Return a layer's variables without those of its sub-layers; the public lists mix them."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def own_sublayers(layer: Any) -> list[Any]:
    """Return what Keras tracks below a layer, in whatever attribute it stands."""
    return list(layer._layers)


def own_seed_generators(layer: Any) -> list[Any]:
    """Return what a layer itself draws from; the public list of variables has no names for them."""
    return list(layer._seed_generators)


def silence_layers(model: Any) -> list[str]:
    """Turn off the randomness of layers with a rate or a standard deviation of noise, for good.

    What a model keeps, its variables and their names, stays as it is.

    Args:
        model: built and not yet compiled.

    Returns:
        names of the random layers that have neither, and so stay random.
    """
    left = []
    for layer in all_layers(model):
        if own_seed_generators(layer):
            for strength in ("rate", "stddev"):
                if hasattr(layer, strength):
                    setattr(layer, strength, 0)
                    break
            else:
                left.append(layer.name)
    return sorted(left)


def trained_variables(optimizer: Any) -> list[Any]:
    """Return the variables that an optimizer was built with; it stays when they are frozen."""
    return list(optimizer._trainable_variables)


def variables_without_inner(optimizer: Any) -> list[Any]:
    """Return what a wrapping optimizer has beside the one that it wraps; publicly both are one."""
    return list(optimizer._variables)


def slot_lists(optimizer: Any) -> dict[str, list[Any]]:
    """Return the lists of an optimizer that have a member for each variable that it trains.

    Keras keeps them as attributes, ``_momentums`` and the like, and names them nowhere.
    """
    apart = ("_variables", "_trainable_variables")
    count = len(trained_variables(optimizer))
    return {
        name: slots
        for name, slots in vars(optimizer).items()
        if isinstance(slots, list) and name not in apart and len(slots) == count
    }


def adam_slots(optimizer: Any, variables: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Return Adam's first and second moments of the variables, as tensors, for fused kernels."""
    places = [optimizer._get_variable_index(variable) for variable in variables]
    return (
        [optimizer._momentums[place].value for place in places],
        [optimizer._velocities[place].value for place in places],
    )


def replace_update(optimizer: Any, update: Callable[..., None]) -> None:
    """Have an optimizer update all variables by ``update(optimizer, grads, variables, rate)``.

    This is the seam that Keras gives its backends: what comes before it (clipping, weight decay,
    accumulation) and after it (averages) stays Keras'.
    """
    optimizer._backend_update_step = partial(update, optimizer)


def learning_rate(optimizer: Any) -> Any:
    """Return the variable of the learning rate, or the schedule; the property has the number."""
    return optimizer._learning_rate


@contextmanager
def scaled_learning_rate(optimizer: Any, factor: Any) -> Iterator[None]:
    """Multiply the learning rate that an optimizer's update finds inside the block.

    Whatever asks for it asks there: the update, a fused one in its place, and weight decay. The
    public property has no setter for what a variable or a schedule is multiplied by.
    """
    current = optimizer._get_current_learning_rate
    optimizer._get_current_learning_rate = lambda: current() * factor
    try:
        yield
    finally:
        del optimizer._get_current_learning_rate


@contextmanager
def as_in_generation(model: Any) -> Iterator[None]:
    """Have all layers of a model run as in generation, whatever ``training`` they are given.

    Keras settles that argument in one place, layer by layer; what a call says goes before all else
    there, and a loss says ``training=True``.
    """
    name = "_resolve_and_populate_arg"
    layers = {id(layer): layer for layer in all_layers(model)}.values()

    def settled(
        resolve: Callable[..., None], argument: str, spec: Any, context: Any, given: dict[str, Any]
    ) -> None:
        resolve(argument, spec, context, given)
        if argument == "training":
            context.set_value(argument, False)
            if argument in given:
                given[argument] = False

    for layer in layers:
        vars(layer)[name] = partial(settled, getattr(layer, name))
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)[name]


def values(variables: Iterable[Any]) -> list[Any]:
    """Return the tensors of variables.

    Not by ``value``: what that looks up besides takes, for a small network, as long as a step.
    """
    return [variable._value for variable in variables]


def set_values(variables: Iterable[Any], new: Iterable[Any]) -> None:
    """Put tensors of the right shape, dtype and device into variables, without ``assign``'s checks.

    Only where nothing else holds the old ones: what comes out of a compiled step.
    """
    for variable, value in zip(variables, new, strict=True):
        variable._value = value
