"""PyTorch: a recording in which a chain of views is one view, or none.

A product of Keras' layers is seen through three views or four before the next kernel takes it; for
small tensors each costs what a kernel costs. Sizes and strides of a recording are fixed, so that
the last view of a chain can be taken of the memory at once: the same numbers at the same places.
"""

from __future__ import annotations

import operator
from typing import Any

import torch
from torch import fx

_ATEN = torch.ops.aten
# Those that begin where what they show begins.
_VIEWS = frozenset(
    {
        _ATEN.transpose.int,
        *(
            getattr(_ATEN, name).default
            for name in ("_unsafe_view", "expand", "permute", "t", "unsqueeze", "view")
        ),
    }
)

_OFFSET = 3  # its place among the arguments of `as_strided`


def merge_views(graph: fx.Graph) -> None:
    """Replace chains of views in a graph of ``aten`` operations, in place."""
    for node in list(graph.nodes):
        if node.target not in _VIEWS:
            continue
        base, seen = node.args[0], _form(node)
        whole = base.args[0] if _begins_with_its_base(base) else base
        if seen is None:
            continue
        if seen == _form(whole):
            node.replace_all_uses_with(whole)
        elif whole is not base:
            sizes, strides, _ = seen
            with graph.inserting_before(node):
                merged = graph.call_function(_ATEN.as_strided.default, (whole, sizes, strides))
            merged.meta = dict(node.meta)
            node.replace_all_uses_with(merged)
    for node in reversed(list(graph.nodes)):
        unused = not node.users and node.op == "call_function"
        if unused and node.target in _VIEWS | {_ATEN.as_strided.default, operator.getitem}:
            graph.erase_node(node)


def _begins_with_its_base(node: Any) -> bool:
    """Whether a node is a view that begins where what it is of begins."""
    if node.target in _VIEWS:
        return True
    elsewhere = node.args[_OFFSET:] or node.kwargs
    return node.target == _ATEN.as_strided.default and not elsewhere


def _form(node: Any) -> tuple[list[int], list[int], Any] | None:
    """Return sizes, strides and dtype of what a node gave when it was recorded, if it is known."""
    value = node.meta.get("val")
    if not isinstance(value, torch.Tensor):
        return None
    return list(value.shape), list(value.stride()), value.dtype
