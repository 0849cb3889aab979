"""What a loop carries from step to step keeps its form, the same for all backends.

JAX and TensorFlow compile a loop for one form of state; what they say of another names neither the
loop nor the tensor, and eager PyTorch takes it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from genkit.errors import UsageError


def checked(step: Callable[[Any, Any], Any], state: Any) -> tuple[Callable[[Any, Any], Any], Any]:
    """Return a step that refuses to change the state's form, and the state as tensors."""
    state = keras.tree.map_structure(keras.ops.convert_to_tensor, state)
    forms = _forms(state)

    def checked_step(number: Any, state: Any) -> Any:
        new = keras.tree.map_structure(keras.ops.convert_to_tensor, step(number, state))
        if (received := _forms(new)) != forms:
            raise UsageError(
                "Expected each step of a loop to return a state of the form that it takes, "
                f"{_shown(forms)}; received {_shown(received)}.",
                "Give what grows its full size from the start, and write into it.",
            )
        return new

    return checked_step, state


def _forms(state: Any) -> list[tuple[str, str]]:
    return [
        (
            ".".join(map(str, path)),
            f"{keras.backend.standardize_dtype(leaf.dtype)} {tuple(leaf.shape)}",
        )
        for path, leaf in keras.tree.flatten_with_path(state)
    ]


def _shown(forms: list[tuple[str, str]]) -> str:
    return ", ".join(f"{path}: {form}" if path else form for path, form in forms) or "nothing"
