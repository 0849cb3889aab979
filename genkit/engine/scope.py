"""Where a step keeps the model's state while it is traced: values by variable, not in variables."""

from __future__ import annotations

from typing import Any, Self

import keras


class Scope(keras.StatelessScope):
    """A stateless scope that starts from the surrounding one and remembers what was updated."""

    def __init__(self, state_mapping: list[tuple[Any, Any]] | None = None) -> None:
        super().__init__(state_mapping=state_mapping)
        self.state_mapping: dict[int, Any]
        self.updated: dict[int, Any] = {}

    def __enter__(self) -> Self:
        super().__enter__()
        if self.original_scope is not None:
            self.state_mapping = {**self.original_scope.state_mapping, **self.state_mapping}
        return self

    def add_update(self, update: tuple[Any, Any]) -> None:
        super().add_update(update)
        self.updated[id(update[0])] = update[0]
