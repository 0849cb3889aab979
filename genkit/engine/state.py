"""A model's state as numpy arrays, keyed by where each variable sits in the model's structure.

``variable.path`` depends on what else was built earlier in the process; the structure does not:
``generator/layers/3/kernel``, ``optimizers/generator/velocities/generator/layers/3/kernel``.
Dtypes are canonical (signed 64-bit integers, 32-bit floats), so that state written on one backend
loads on any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from genkit.engine import keras_inside
from genkit.errors import RunError

if TYPE_CHECKING:
    from genkit.engine.optimized import OptimizedModel

_LOSS_SCALE = "loss_scale"


class ModelState:
    """All state of a model: weights and statistics, seed generators, optimizers.

    Args:
        model: a model whose networks are built and whose optimizers are named.
        kept: Keras variables beside the model's that its training keeps, by their keys.
    """

    def __init__(
        self, model: OptimizedModel, kept: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        self.weights: dict[str, Any] = {}
        self.training: dict[str, Any] = {}
        self.seeds: list[Any] = []
        for key, variable, is_seed in _walk(model, "", set()):
            (self.training if is_seed else self.weights)[key] = variable
            if is_seed:
                self.seeds.append(variable)
        names = {id(variable): key for key, variable in self.weights.items()}
        for name, optimizer in model.optimizers.items():
            for key, variable in _optimizer_variables(optimizer, names):
                self.training[f"optimizers/{name}/{key}"] = variable
        for averages in model.weight_averages.values():
            for variable, average in averages.pairs:
                self.training[f"averages/{names[id(variable)]}"] = average
        self.training.update(kept)

    @property
    def averaged(self) -> dict[str, Any]:
        """Running numbers of which several workers that train together take the mean, by key.

        They are those of ``Model.add_state``, the statistics of batch normalisation, codebooks, and
        every other weight of a layer that was added with ``aggregation="mean"``.
        """
        return {
            key: variable
            for key, variable in self.weights.items()
            if not variable.trainable and variable.aggregation == "mean"
        }

    @property
    def of_the_first(self) -> dict[str, Any]:
        """Running numbers that several workers take from the first of them, by key."""
        return {
            key: variable
            for key, variable in self.weights.items()
            if not variable.trainable and variable.aggregation == "only_first_replica"
        }

    @property
    def variables(self) -> list[Any]:
        """All Keras variables, each once."""
        return [*self.weights.values(), *self.training.values()]

    def read(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Copy the state out: ``(weights, training)`` as numpy arrays by key."""
        return _read(self.weights), _read(self.training)

    def load_weights(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Set weights and statistics.

        Raises:
            RunError: names or shapes differ; the message lists them, both sides.
        """
        _load(self.weights, arrays, "weights")

    def load_some_weights(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Set the weights and statistics that are named; the others stay as they are."""
        _load({key: self.weights[key] for key in arrays}, arrays, "weights")

    def load_training(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Set what only training needs; raises like ``load_weights``."""
        _load(self.training, arrays, "training state")


def check_matches(
    variables: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], what: str
) -> None:
    """Compare names and shapes with what a file offers, before memory is taken.

    Loss scales may be on one side only: whoever begins to scale finds the scale in a few steps.
    """
    missing = sorted(key for key in variables.keys() - shapes.keys() if not _is_loss_scale(key))
    surplus = sorted(key for key in shapes.keys() - variables.keys() if not _is_loss_scale(key))
    if missing or surplus:
        raise RunError(
            f"The {what} don't fit the model: "
            f"missing {_some(missing)}; not expected {_some(surplus)}."
        )
    for key in variables.keys() & shapes.keys():
        variable = variables[key]
        if tuple(variable.shape) != tuple(shapes[key]):
            raise RunError(
                f"The {what} don't fit the model: expected {key} of shape "
                f"{tuple(variable.shape)}; received {tuple(shapes[key])}."
            )


def _read(variables: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {key: _canonical(keras.ops.convert_to_numpy(v.value)) for key, v in variables.items()}


def _canonical(array: np.ndarray) -> np.ndarray:
    if array.dtype == bool or np.issubdtype(array.dtype, np.integer):
        return array.astype(np.int64)
    return array.astype(np.float32)


def _load(variables: Mapping[str, Any], arrays: Mapping[str, np.ndarray], what: str) -> None:
    check_matches(variables, {key: a.shape for key, a in arrays.items()}, what)
    for key in variables.keys() & arrays.keys():
        variable = variables[key]
        variable.assign(arrays[key].astype(keras.backend.standardize_dtype(variable.dtype)))


def _is_loss_scale(key: str) -> bool:
    return re.match(rf"optimizers/[^/]+/{_LOSS_SCALE}/", key) is not None


def _some(keys: list[str]) -> str:
    listed = ", ".join(keys[:5]) or "none"
    return f"{listed} and {len(keys) - 5} more" if len(keys) > 5 else listed  # noqa: PLR2004


def _walk(layer: Any, prefix: str, seen: set[int]) -> Iterator[tuple[str, Any, bool]]:
    """Yield ``(key, variable, is it a seed)`` of a layer and all below it, each once."""
    seen.add(id(layer))
    taken: dict[str, int] = {}

    def once(name: str, variable: Any, is_seed: bool) -> Iterator[tuple[str, Any, bool]]:
        if id(variable) not in seen:
            seen.add(id(variable))
            count = taken[name] = taken.get(name, -1) + 1
            yield prefix + (f"{name}_{count}" if count else name), variable, is_seed

    for variable in keras_inside.own_variables(layer):
        # Keras numbers unnamed weights through the whole process.
        name = re.sub(r"^variable_\d+$", "variable", variable.name)
        yield from once(name, variable, is_seed=False)
    for generator in keras_inside.own_seed_generators(layer):
        yield from once("seed", generator.state, is_seed=True)
    for name, child in _children(layer):
        if id(child) not in seen:
            yield from _walk(child, f"{prefix}{name}/", seen)


def _children(layer: Any) -> Iterator[tuple[str, Any]]:
    """Yield a layer's sub-layers with a name that depends on the structure only."""
    if isinstance(layer, keras.Sequential) or hasattr(layer, "operations"):  # or functional
        for index, child in enumerate(layer.layers):
            yield f"layers/{index}", child
    # PyTorch keeps sub-modules in `_modules`; sorted, so that every backend sees one order.
    attributes = {**vars(layer), **vars(layer).get("_modules", {})}
    for name, value in sorted(attributes.items()):
        if name not in keras_inside.BOOKKEEPING and not name.startswith("_self_"):
            for key, child in _members(name, value):
                if isinstance(child, keras.Layer):
                    yield key, child
    # Whatever Keras tracks and no attribute showed: complete by construction.
    for index, child in enumerate(keras_inside.own_sublayers(layer)):
        yield f"sublayers/{index}", child


def _members(name: str, value: Any) -> list[tuple[str, Any]]:
    """Return an attribute, or what stands in it if it is a container, each with its key."""
    if isinstance(value, Mapping):
        return [(f"{name}/{key}", member) for key, member in value.items()]
    if isinstance(value, (list, tuple)):
        return [(f"{name}/{index}", member) for index, member in enumerate(value)]
    return [(name, value)]


def _optimizer_variables(optimizer: Any, names: Mapping[int, str]) -> Iterator[tuple[str, Any]]:
    """Yield ``(key, variable)``: per-weight slots by weight, the rest by name."""
    seen: set[int] = set()
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        # As if it stood alone, so that its state moves between precisions.
        yield from _optimizer_variables(inner, names)
        for variable in keras_inside.variables_without_inner(optimizer):
            yield f"{_LOSS_SCALE}/{variable.name}", variable
        return
    owned = keras_inside.trained_variables(optimizer)
    for attribute, slots in keras_inside.slot_lists(optimizer).items():
        for weight, slot in zip(owned, slots, strict=True):
            if isinstance(slot, keras.Variable) and id(slot) not in seen:
                seen.add(id(slot))
                yield f"{attribute.strip('_')}/{names[id(weight)]}", slot
    for variable in optimizer.variables:
        if id(variable) not in seen:
            seen.add(id(variable))
            yield variable.name, variable
