"""PyTorch: a training step, or inference, as one straight list of kernels, recorded while it runs.

Eager PyTorch asks Keras anew at each step what to do: for a small network that takes several times
as long as doing it. `make_fx` runs the step, forward, backward and update, and notes down each
kernel it calls. What is then run is the list: the same kernels on the same tensors in the same
order, so the same bits, without Python's way there, and without a compiler on the machine.

What a function decides by looking into a tensor can't be noted down; such a function stays eager.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from genkit.engine import keras_inside
from genkit.engine.torch_direct import call_directly
from genkit.engine.torch_inside import pytree, quick_notes
from genkit.engine.torch_looks import Looks, place
from genkit.engine.torch_loop import recording_loops
from genkit.engine.torch_simplify import simplify
from genkit.engine.torch_views import merge_views


class Recorded:
    """Runs ``fn`` eagerly once for each shape of its inputs, and its recording from then on.

    Args:
        fn: takes nested tensors, changes ``variables`` in place, returns nested tensors.
        variables: all Keras variables that ``fn`` may read or change.
        what: what ``fn`` does, for the warning that it can't be recorded.

    Attributes:
        eager: why ``fn`` can't be recorded, and where that lies; empty while it can.
    """

    eager = ""

    def __init__(
        self, fn: Callable[[Any], Any], variables: Sequence[Any], what: str = "training step"
    ) -> None:
        self._fn = fn
        self._variables = variables
        self._what = what
        self._recordings: dict[Any, tuple[Any, Callable[..., list[Any]], list[Any]]] = {}

    def __call__(self, inputs: Any) -> Any:
        if self.eager:
            return self._fn(inputs)
        leaves, structure = pytree.tree_flatten(inputs)
        sizes = ((leaf.shape, leaf.stride(), leaf.dtype, leaf.device) for leaf in leaves)
        key = (structure, *sizes)
        if key not in self._recordings:
            return self._record(key, inputs)
        form, recording, _ = self._recordings[key]
        with torch.no_grad():
            found = recording(keras_inside.values(self._variables), inputs)
        return pytree.tree_unflatten(found, form)

    def _record(self, key: Any, inputs: Any) -> Any:
        """Run ``fn`` once, noting down what it does; if that can't be, run it again eagerly."""
        before = [v.value.detach().clone() for v in self._variables]
        randomness = _random_state()
        result: Any = None

        def run(_: list[Any], inputs: Any) -> list[Any]:
            nonlocal result
            result = self._fn(inputs)
            return list(pytree.tree_leaves(result))

        looks = Looks()
        try:
            with looks, recording_loops() as loops, quick_notes():
                recording = make_fx(run)([v.value for v in self._variables], inputs)
            simplify(recording.graph)
            merge_views(recording.graph)
            call_directly(recording.graph)
            recording.recompile()
        except Exception as error:  # noqa: BLE001 - what the step does wrong, it will do again
            with torch.no_grad():
                for variable, value in zip(self._variables, before, strict=True):
                    variable.value.copy_(value)
            _set_random_state(randomness)
            result = self._fn(inputs)
            self.eager = looks.refused or _fault(error)
            warnings.warn(
                f"The {self._what} runs eagerly, which is slower: {self.eager}.", stacklevel=2
            )
        else:
            self._recordings[key] = (pytree.tree_flatten(result)[1], recording, loops)
        return result


def _fault(error: Exception) -> str:
    what = str(error).strip().split("\n")[0] or type(error).__name__
    return f"{what.rstrip('.')}, {place(traceback.extract_tb(error.__traceback__))}"


def _random_state() -> tuple[Any, Any]:
    on_gpu = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return torch.get_rng_state(), on_gpu


def _set_random_state(state: tuple[Any, Any]) -> None:
    on_cpu, on_gpu = state
    torch.set_rng_state(on_cpu)
    if on_gpu:
        torch.cuda.set_rng_state_all(on_gpu)
