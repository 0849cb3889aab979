"""PyTorch: a recorded step without what it computes twice.

A GAN's step runs its generator twice on the same noise, once for each update, with the same
weights. XLA and TensorFlow's graphs see that and do it once; a recording does what it is told.
Here equal operations on equal operands become one: the same kernels give the same bits.

What makes operands equal is the hard part, since a step also writes: each write to a tensor, or to
anything that shares its memory, makes what was computed from it before another value than what is
computed from it after.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import Any

import torch
from torch import fx

from genkit.engine import torch_inside

_ALIASES = (torch.ops.aten.detach.default, torch.ops.aten.alias.default)
# Kernels whose schema hides that they write their running statistics.
_HIDDEN_WRITES = ("batch_norm",)
# Kernels whose schema hides that what they give is a view of what they take.
_HIDDEN_VIEWS = ("aten::_unsafe_view", "aten::unsafe_split", "aten::unsafe_chunk")


def simplify(graph: fx.Graph) -> None:
    """Merge equal operations of a graph of ``aten`` operations, in place.

    Raises:
        ValueError: the graph holds an operation of which nobody says what it writes.
    """
    memory = _Memory(graph)
    seen: dict[Any, fx.Node] = {}
    for node in list(graph.nodes):
        if node.op != "call_function":
            continue
        if node.target in _ALIASES:  # nothing is differentiated here any more
            _replace(graph, node, node.args[0])
            continue
        if memory.is_shareable(node):
            first = seen.setdefault(memory.key(node), node)
            if first is not node:
                _replace(graph, node, first)
                continue
        memory.note_writes(node)


def _replace(graph: fx.Graph, node: fx.Node, other: Any) -> None:
    node.replace_all_uses_with(other)
    graph.erase_node(node)


class _Memory:
    """Which nodes share memory, and how often each memory has been written so far."""

    def __init__(self, graph: fx.Graph) -> None:
        self._homes: dict[fx.Node, frozenset[Any]] = {}
        self._writes: Counter[Any] = Counter()
        self._ever_written: set[Any] = set()
        for node in graph.nodes:
            self._homes[node] = self._home_of(node)
            for written in _written(node):
                self._ever_written |= self._homes[written]

    def _home_of(self, node: fx.Node) -> frozenset[Any]:
        if _is_view(node):
            return frozenset().union(*(self._homes[source] for source in node.all_input_nodes))
        # One attribute of the graph may be fetched by several nodes.
        return frozenset({node.target if node.op == "get_attr" else node.name})

    def is_shareable(self, node: fx.Node) -> bool:
        """Return whether the node's value follows from its operands, and stays as it is."""
        if node.target is operator.getitem:
            return True
        known = node.target.namespace in {"aten", "prims"}
        random = torch.Tag.nondeterministic_seeded in node.target.tags
        if not known or random or _written(node):
            return False
        return _is_view(node) or not self._homes[node] & self._ever_written

    def key(self, node: fx.Node) -> Any:
        """Return what two nodes of the same value have in common."""

        def operand(value: fx.Node) -> Any:
            # A view is the same window whatever stands in it.
            homes = () if _is_view(node) else sorted(self._homes[value])
            return _Operand((value.name, *((home, self._writes[home]) for home in homes)))

        arguments = fx.node.map_arg((node.args, node.kwargs), operand)
        return node.target, repr(arguments)

    def note_writes(self, node: fx.Node) -> None:
        """Count what the node writes."""
        for written in _written(node):
            self._writes.update(self._homes[written])


class _Operand(tuple[Any, ...]):
    """An operand's identity; a type of its own, so that no constant looks like it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{super().__repr__()}>"


def _is_view(node: fx.Node) -> bool:
    """Return whether what the node gives may share memory with what it takes."""
    if node.op != "call_function":
        return False
    if node.target is operator.getitem:
        return True
    schema = torch_inside.schema(node.target)
    if schema.name.startswith(_HIDDEN_VIEWS):
        return True
    return any(result.alias_info is not None for result in schema.returns)


def _written(node: fx.Node) -> list[fx.Node]:
    """List the nodes whose memory a node writes."""
    if node.op != "call_function" or node.target is operator.getitem:
        return []
    found: list[fx.Node] = []
    schema = torch_inside.schema(node.target)
    for index, argument in enumerate(schema.arguments):
        hidden = argument.name.startswith("running_") and any(
            name in schema.name for name in _HIDDEN_WRITES
        )
        if hidden or (argument.alias_info is not None and argument.alias_info.is_write):
            value = node.args[index] if index < len(node.args) else node.kwargs.get(argument.name)
            fx.node.map_arg(value, found.append)
    return found
