"""What a model may be given beside noise: a prompt, the value of a column, the first frames."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genkit.errors import DataError, PluginError

if TYPE_CHECKING:
    from genkit.plugins.schema import Field, Schema

_MOST_NAMES = 5
_KINDS = {"label": "class", "text": "text", "number": "number", "date": "date"}
_EXAMPLES = {"class": "CLASS", "number": "1", "date": "2001-05-31", "true or false": "true"}


@dataclass(frozen=True)
class Condition:
    """A value of a field that generation is given, for each item.

    Args:
        name: what ``given``, ``--where`` and the argument of ``decode`` call it.
        modality: it is a value of the first field of the data that has this modality; left out,
            of the field of its own name.
        required: whether nothing is generated without it.
        longest: of a field that varies in length, how long a value the model takes at most; None
            for any length.
        only_if_asked: whether ``decode`` is called without it, rather than with zeros, where no
            condition is given at all: for models that are quicker where nothing is asked.

    Example:
        >>> Condition("prompt", modality="text", longest=64)
        Condition(name='prompt', modality='text', required=False, longest=64, only_if_asked=False)
    """

    name: str
    modality: str = ""
    required: bool = False
    longest: int | None = None
    only_if_asked: bool = False

    def __post_init__(self) -> None:
        if not self.name or "=" in self.name or self.name != self.name.strip():
            raise PluginError(f"A condition's name must be a word without '=': {self}.")
        if self.longest is not None and not (type(self.longest) is int and self.longest > 0):
            raise PluginError(f"A condition's longest must be an integer above 0, or None: {self}.")

    def field_name(self, schema: Schema) -> str:
        """Name the field of some data that it is a value of.

        Raises:
            DataError: the data has no such field.
        """
        if self.modality:
            return schema.name_of(self.modality)
        if self.name not in schema:
            raise DataError(
                f"Expected data with a field {self.name!r}, which the model takes as a condition; "
                f"received {', '.join(schema.fields)}."
            )
        return self.name


LABEL = Condition("label", modality="label")
"""What a model with ``conditional = True`` takes."""


def describe_condition(
    condition: Condition, field: Field | None = None, names: Sequence[str] = ()
) -> dict[str, Any]:
    """Describe a condition for people.

    Args:
        condition: what is described.
        field: what it is a value of, where the data is known.
        names: what the field's numbers stand for, if they have names.

    Returns:
        facts by name, all there whatever is known: ``kind``, ``"class"``, ``"word"``, ``"text"``,
        ``"number"``, ``"date"``, ``"true or false"`` or ``"array"``, empty if only data tells;
        ``names``, the first few, of ``count``; ``range``; ``longest``; whether it is ``required``;
        and an ``example`` of how the command line is given it, which knows no arrays.
    """
    kind = _KINDS.get(condition.modality, "") if field is None else _kind_of(field, names)
    limits = field.range if field is not None and kind in ("number", "array") else None
    bounds = [int(bound) if float(bound).is_integer() else bound for bound in limits or ()]
    return {
        "name": condition.name,
        "kind": kind,
        "required": condition.required,
        "names": list(names[:_MOST_NAMES]),
        "count": len(names) or None,
        "range": bounds or None,
        "longest": condition.longest,
        "example": _example(condition.name, kind, str((*names, *bounds, "")[0])),
    }


def _kind_of(field: Field, names: Sequence[str]) -> str:
    if field.modality == "text" or field.dtype == "string":
        return "text"
    if field.shape:
        return "array"
    if names:
        return "class" if field.modality == "label" else "word"
    return {"datetime64": "date", "bool": "true or false"}.get(field.dtype[:10], "number")


def _example(name: str, kind: str, value: str) -> str:
    """Return flags that give a value, the first that is known; none for what they can't give."""
    if kind == "array":
        return ""
    if kind == "text":
        return '--prompt "..."' if name == "prompt" else f'--where {name}="..."'
    value = value or _EXAMPLES.get(kind, "VALUE")
    if kind == "class":
        return f"--label {shlex.quote(value)}"
    return f"--where {shlex.quote(f'{name}={value}')}"
