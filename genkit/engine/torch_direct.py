"""PyTorch: recordings that call their kernels the short way.

An operation of ``torch.ops`` takes its arguments apart by a schema, about a microsecond each time;
the function of that name in ``torch`` is compiled for its arguments and ends in the same kernel.
A text that is written token by token calls three hundred small kernels for each.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import fx

_ATEN = torch.ops.aten
_UNARY = ("cos", "erf", "exp", "log", "logical_not", "neg", "relu", "rsqrt", "sigmoid", "sin")
_BINARY = ("add", "div", "eq", "ge", "gt", "le", "lt", "mul", "ne", "sub")
_ALIKE = (
    *("_softmax", "argmax", "as_strided", "baddbmm", "bmm", "clone", "cumsum", "embedding"),
    *("gather", "index_select", "logical_and", "logical_or", "maximum", "minimum", "mm"),
    *("native_layer_norm", "permute", "reciprocal", "sqrt", "sum", "t", "tanh", "unsqueeze"),
)
_DIRECT: dict[Any, Any] = {
    **{getattr(_ATEN, name).default: getattr(torch, name) for name in (*_UNARY, *_ALIKE)},
    **{getattr(_ATEN, name).Tensor: getattr(torch, name) for name in _BINARY},
    _ATEN.pow.Tensor_Scalar: torch.pow,
    _ATEN.select.int: torch.select,
    _ATEN.sum.dim_IntList: torch.sum,
    _ATEN.transpose.int: torch.transpose,
    _ATEN.where.self: torch.where,
    _ATEN.expand.default: torch.Tensor.expand,
    **{getattr(_ATEN, name).default: torch.Tensor.view for name in ("view", "_unsafe_view")},
}


def call_directly(graph: fx.Graph) -> None:
    """Let a graph of ``aten`` operations call functions of ``torch`` where they are the same."""
    for node in graph.nodes:
        if node.op == "call_function":
            node.target = _DIRECT.get(node.target, node.target)
