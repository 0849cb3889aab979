"""Names that a model can't take, for its base has them: hidden, the base's fail far away or never.

``classes = 10`` in a class breaks ``generate`` of a conditional model, a method ``losses`` is never
called, and a list ``self._layers`` loses the layers that Keras kept there.
"""

from __future__ import annotations

import types
from functools import cache
from typing import Any

import keras

from genkit.engine.keras_inside import REASSIGNED, attributes_of_a_new_model
from genkit.errors import UsageError

# An author's method of that name is one that `minimize` is given: `Model` makes way for it.
_GRANTED = frozenset({"loss"})
_SET_BY_MODEL = frozenset({"_inference", "_networks"})
_METHODS = (types.FunctionType, classmethod, staticmethod)
_CONTAINERS = (list, dict, set)


def check_class(made: type, base: type) -> None:
    """Refuse a class that hides what its base keeps or does under a name.

    Methods may be replaced by methods, and values and properties by properties; private names by
    nothing.

    Args:
        made: a subclass.
        base: ``genkit.Model``.

    Raises:
        UsageError: with the name, and whose it is.
    """
    for name, value in vars(made).items():
        owner, kind = _owner(base, name)
        if not owner or name in _GRANTED or name.startswith("__"):
            continue
        new = _kind(value)
        if name.startswith("_") or (new != kind and (kind, new) != ("value", "property")):
            raise _refusal(made, name, owner, kind)


def check_attribute(model: Any, base: type, name: str, value: Any) -> None:
    """Refuse a value for an attribute of a model that hides what its base keeps or does there.

    A function may stand for a method.

    Args:
        model: what its base's ``__init__`` has made.
        base: ``genkit.Model``.
        name: of the attribute.
        value: what is set.

    Raises:
        UsageError: with the name, and whose it is.
    """
    owner, kind = _owner(base, name)
    if not owner or name in _GRANTED:
        return
    if kind == "method":
        refused = not callable(value) or isinstance(value, keras.layers.Layer)
    elif kind == "property":
        found = next(vars(each)[name] for each in type(model).__mro__ if name in vars(each))
        refused = isinstance(found, property) and found.fset is None
    else:
        kept = isinstance(model.__dict__.get(name), _CONTAINERS)
        refused = name.startswith("_") and kept and name not in REASSIGNED
    if refused:
        raise _refusal(type(model), name, owner, kind)


def _refusal(made: type, name: str, owner: str, kind: str) -> UsageError:
    return UsageError(
        f"The attribute {name!r} of {made.__name__} would hide the {kind} of that name of {owner}.",
        "Give it another name.",
    )


@cache
def _owner(base: type, name: str) -> tuple[str, str]:
    """Return whose a name is, and what it stands for; empty if neither has it."""
    for each in base.__mro__:
        if name in vars(each):
            package = each.__module__.partition(".")[0]
            if package not in {"genkit", "keras"}:
                return "", ""  # a framework's base class: not there on every backend
            return f"{package}.Model", _kind(vars(each)[name])
    if name in _SET_BY_MODEL:
        return "genkit.Model", "value"
    return ("keras.Model", "value") if name in attributes_of_a_new_model() else ("", "")


def _kind(value: Any) -> str:
    if isinstance(value, property):
        return "property"
    return "method" if isinstance(value, _METHODS) else "value"
