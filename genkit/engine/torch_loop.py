"""PyTorch: a loop inside a recording, as one operation that runs a recorded step again and again.

Written out, fifty steps of denoising would be fifty times as many kernels to note down, and a loop
that ends by what it computes could not be recorded at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import fx
from torch.fx.experimental.proxy_tensor import make_fx

from genkit.engine.torch_direct import call_directly
from genkit.engine.torch_inside import keras_device, pytree, untraced
from genkit.engine.torch_simplify import simplify
from genkit.engine.torch_views import merge_views

_SCHEMA = "(Tensor[] state, Tensor[] captured, int key, int steps, Tensor? most) -> Tensor[]"
_loops: WeakValueDictionary[int, _Loop] = WeakValueDictionary()
_keys = count()
_recording: ContextVar[list[Any] | None] = ContextVar("recording", default=None)


@contextmanager
def recording_loops() -> Iterator[list[Any]]:
    """Let loops inside the block become operations of the recording that is made.

    Yields:
        what the recording needs as long as it is used.
    """
    kept: list[Any] = []
    token = _recording.set(kept)
    try:
        yield kept
    finally:
        _recording.reset(token)


def run_loop(
    step: Callable[[Any, Any], Any], state: Any, steps: Any, until: Callable[[Any], Any] | None
) -> Any:
    """Run a loop, as ``genkit.loop`` says, or record it if a recording is made."""
    kept = _recording.get()
    # What is differentiated is written out: nobody knows the derivative of the operation.
    if kept is None or torch.is_grad_enabled():
        return _eagerly(step, state, steps, until)
    leaves, form = pytree.tree_flatten(state)
    with untraced():
        loop = _Loop(step, leaves, form, until)
    kept.append(loop)
    key = next(_keys)
    _loops[key] = loop
    most = steps if isinstance(steps, torch.Tensor) else None
    fixed = -1 if steps is None or most is not None else int(steps)
    found = torch.ops.genkit.loop(leaves, loop.captured, key, fixed, most)
    return pytree.tree_unflatten(list(found), form)


def _eagerly(
    step: Callable[[Any, Any], Any], state: Any, steps: Any, until: Callable[[Any], Any] | None
) -> Any:
    number = 0
    while steps is None or number < steps:
        if until is not None and until(state):
            break
        state = step(_scalar(number), state)
        number += 1
    return state


def _scalar(number: int) -> Any:
    return torch.full((), number, dtype=torch.int32, device=keras_device())


class _Loop:
    """A step and the question whether to end, recorded; what they use from outside is an input.

    Attributes:
        captured: tensors from outside, which may be others when the recording runs.
    """

    def __init__(
        self,
        step: Callable[[Any, Any], Any],
        leaves: Sequence[Any],
        form: Any,
        until: Callable[[Any], Any] | None,
    ) -> None:
        def flat_step(number: Any, *leaves: Any) -> list[Any]:
            return list(pytree.tree_leaves(step(number, pytree.tree_unflatten(leaves, form))))

        # The recorder tells tensors apart by identity: one may be carried twice, and the step may
        # use it from outside too.
        leaves = [_contiguous(leaf.clone()) for leaf in leaves]
        self.captured: list[Any] = []
        self._step = self._record(flat_step, _scalar(0), *leaves)
        self._ends = None
        if until is not None:
            ends = until
            self._ends = self._record(
                lambda *leaves: [ends(pytree.tree_unflatten(leaves, form))], *leaves
            )

    def _record(self, fn: Callable[..., list[Any]], *inputs: Any) -> Callable[..., list[Any]]:
        """Return a recording that takes ``captured`` and the inputs one by one."""
        module = make_fx(fn)(*inputs)
        graph = module.graph
        simplify(graph)
        merge_views(graph)
        call_directly(graph)
        nodes: dict[int, fx.Node] = {}
        for node in [each for each in graph.nodes if each.op == "get_attr"]:
            place = self._place_of(getattr(module, node.target))
            if place not in nodes:
                with graph.inserting_before(_first_operation(graph)):
                    nodes[place] = graph.placeholder(f"captured_{place}")
            node.replace_all_uses_with(nodes[place])
            graph.erase_node(node)
        graph.set_codegen(fx.graph.CodeGen())  # that of `make_fx` takes nested inputs apart
        module.recompile()
        run, places = module.forward, list(nodes)
        return lambda captured, *inputs: run(*inputs, *(captured[place] for place in places))

    def _place_of(self, tensor: Any) -> int:
        for place, known in enumerate(self.captured):
            if known is tensor:
                return place
        self.captured.append(tensor)
        return len(self.captured) - 1

    def run(self, state: list[Any], captured: list[Any], steps: int, most: Any) -> list[Any]:
        """Run until a number of steps is done, if it isn't negative, or the end is told."""
        number, place = 0, _scalar(0)
        while number != steps:
            if most is not None and not torch.is_nonzero(place < most):
                break
            if self._ends is not None and torch.is_nonzero(
                self._ends(captured, *map(_contiguous, state))[0]
            ):
                break
            state = self._step(captured, place, *map(_contiguous, state))
            number, place = number + 1, place + 1
        return state


def _contiguous(tensor: Any) -> Any:
    # A recording is one of a layout in memory; what a step returns may have another than it takes.
    return tensor.contiguous()


def _first_operation(graph: fx.Graph) -> fx.Node:
    return next(node for node in graph.nodes if node.op != "placeholder")


def _run(state: list[Any], captured: list[Any], key: int, steps: int, most: Any) -> list[Any]:
    taken = {tensor.untyped_storage().data_ptr() for tensor in (*state, *captured)}
    found = _loops[key].run(list(state), list(captured), steps, most)
    # What shares memory with an input would have to be declared.
    return [x.clone() if x.untyped_storage().data_ptr() in taken else x for x in found]


torch.library.define("genkit::loop", _SCHEMA)
torch.library.impl("genkit::loop", "CompositeExplicitAutograd", _run)
