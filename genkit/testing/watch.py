"""A callback that sees what a training step moves, and what it leaves behind."""

from __future__ import annotations

import gc
import math
from collections import Counter, deque
from collections.abc import Hashable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import keras
import numpy as np

from genkit.engine.keras_inside import learning_rate
from genkit.engine.state import ModelState
from genkit.models.model import Model

WARM, LONG, PARTS = 20, 99, 3
"""Steps before and while the memory is watched, and in how many parts."""
_CONTAINERS = (list, dict, set, deque)


class Watch(keras.callbacks.Callback):
    """Sees each optimizer work alone for a step, then all together for many.

    Attributes:
        strangers: for each optimizer, trainable weights that its step alone has moved and that it
            doesn't own; empty where learning rates can't be set.
        idle: optimizers that have made no update, or whose weights are all where they were.
        not_finite: a loss that was no finite number, and its step.
        growth: objects of one type, or places in one list or the like, that the steps have left
            behind: the most there are of any.
    """

    def __init__(self) -> None:
        super().__init__()
        self.strangers: dict[str, list[str]] = {}
        self.idle: list[str] = []
        self.not_finite = ""
        self.growth = 0
        self._step = 0
        self._seen: list[Mapping[Hashable, int]] = []

    @staticmethod
    def steps(model: Model) -> int:
        """Return how many steps it needs."""
        return len(model.optimizers) + WARM + LONG

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        self._state = ModelState(self.model)
        self._begun = self._state.read()
        self._names = list(self.model.optimizers)
        self._rates = {name: _learning_rate(o) for name, o in self.model.optimizers.items()}

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._step <= len(self._names):
            self._state.load_weights(self._begun[0])
            self._state.load_training(self._begun[1])
        if self._step < len(self._names):
            for name, rate in self._rates.items():
                if name != self._names[self._step] and rate is not None:
                    rate.assign(0.0)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:  # noqa: ARG002
        if self._step < len(self._names):
            self._note_strangers(self._names[self._step])
        self._step += 1
        for name, value in logs.items():
            if not math.isfinite(float(value)) and not self.not_finite:
                self.not_finite = f"{name} is {float(value)} at step {self._step}"
        after = self._step - len(self._names)
        if after >= WARM and (after - WARM) % (LONG // PARTS) == 0:
            self._seen.append(census())
        if after == WARM + LONG:
            self.growth = growth_of(self._seen)

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        moved = self._moved()
        for name, optimizer in self.model.optimizers.items():
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            updates = int(keras.ops.convert_to_numpy(inner.iterations))
            if not updates or not self._owned(name) & moved:
                self.idle.append(name)

    def _note_strangers(self, name: str) -> None:
        others = set().union(*(self._owned(o) for o in self._names if self._rates[o] is None))
        self.strangers[name] = sorted(self._moved() - self._owned(name) - others)

    def _moved(self) -> set[str]:
        """Name the weights that training is about and that are not where they began."""
        now, _ = self._state.read()
        owned = set().union(*(self._owned(name) for name in self._names))
        return {
            key
            for key, variable in self._state.weights.items()
            if (variable.trainable or key in owned)
            and not np.array_equal(now[key], self._begun[0][key])
        }

    def _owned(self, name: str) -> set[str]:
        variables = {id(variable) for variable in self.model.owned_variables(name)}
        return {key for key, v in self._state.weights.items() if id(v) in variables}


def census() -> Mapping[Hashable, int]:
    """Count the objects that the interpreter tracks, by type, and what each container holds.

    A list of floats is one object, however long. The blocks that Python has allocated would tell
    all, but caches of the frameworks fill for hundreds of steps.
    """
    gc.collect()
    found = gc.get_objects()
    counts: dict[Hashable, int] = {
        id(each): len(each) for each in found if type(each) in _CONTAINERS
    }
    counts.update(Counter(map(type, found)))
    return counts


def growth_of(seen: Sequence[Mapping[Hashable, int]]) -> int:
    """Return by how much that has grown which grew most of all in each part.

    What else a process does, a cache that is filled once or emptied meanwhile, or tuples that the
    collector no longer tracks, neither counts nor hides what a step leaves behind. Nor is all of
    it added up: each epoch adds its mean to a list for every value that is logged.
    """
    parts = [
        min(after.get(key, 0) - before.get(key, 0) for before, after in pairwise(seen))
        for key in seen[0]
    ]
    return len(seen[1:]) * max(0, *parts)


def _learning_rate(optimizer: Any) -> Any:
    """Return the variable of an optimizer's learning rate; None for one with a schedule."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = learning_rate(inner)
    return rate if isinstance(rate, keras.Variable) else None
