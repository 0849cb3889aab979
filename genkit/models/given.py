"""What is given for each of the items to generate: checked, encoded, and as inputs of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.varying import bucket, items_of
from genkit.errors import DataError, UsageError
from genkit.plugins.names import suggestion

if TYPE_CHECKING:
    from genkit.data.source import Source
    from genkit.models.conditional import Conditional, Label
    from genkit.plugins.condition import Condition
    from genkit.plugins.schema import Field


class Given:
    """The label and the other conditions of ``n`` items.

    Args:
        model: what takes them.
        n: how many items.
        label: as for ``generate``.
        given: values by condition, as for ``generate``.

    Raises:
        UsageError: a condition that the model doesn't take, or one that it needs and isn't given;
            another number of values than of items; a value that no item of the data has, or that
            is longer than the model takes.
        DataError: the data has no field that a condition is a value of.
    """

    def __init__(
        self, model: Conditional, n: int, label: Label, given: Mapping[str, Any] | None
    ) -> None:
        asked = dict(given or {})
        if "label" in asked and label is not None:
            raise UsageError("Expected the label once; received it as label and in given too.")
        label = asked.pop("label", label)
        if isinstance(label, list) and None in label:
            raise UsageError(
                f"Expected a value of 'label' for each item; that of item {label.index(None)} is "
                "missing."
            )
        self._labels = (
            model.class_numbers(n, label) if model.conditional or label is not None else None
        )
        _check_names(model, asked)
        anything = any(value is not None for value in asked.values())
        self._values = [
            _value_of(each, model, n, asked.get(each.name))
            for each in model.conditions
            if anything or not each.only_if_asked
        ]

    def groups(self, start: int, stop: int) -> Iterator[np.ndarray]:
        """Part some items by the buckets of their values' lengths.

        Those of one group have inputs of one shape; and an item's shape is its own, whichever
        items it is generated with.

        Args:
            start: the first item.
            stop: that behind the last.

        Yields:
            the places of a group's items, from 0 on for the first item, rising.
        """
        items = np.arange(start, stop)
        widths = [value.widths(items) for value in self._values if value.lengths is not None]
        if not widths:
            yield items - start
            return
        kinds, kind_of = np.unique(np.stack(widths, 1), axis=0, return_inverse=True)
        for kind in range(len(kinds)):
            yield np.flatnonzero(kind_of.reshape(-1) == kind)

    def inputs(self, items: np.ndarray) -> dict[str, np.ndarray]:
        """Return the arguments of ``decode`` for the items of a group, by their numbers."""
        inputs = {} if self._labels is None else {"label": self._labels[items]}
        for value in self._values:
            inputs |= value.inputs(items)
        return inputs


@dataclass(frozen=True)
class _Value:
    """An encoded condition, of all items at once (then it has one row) or of each.

    Args:
        condition: which it is.
        rows: an array, or arrays that differ in length, zeros or empty where it isn't given.
        missing: which rows aren't given.
        lengths: how long each is, where the field varies.
    """

    condition: Condition
    rows: Any
    missing: np.ndarray
    lengths: np.ndarray | None

    def _places(self, items: np.ndarray) -> np.ndarray:
        return items if len(self.rows) > 1 else np.zeros_like(items)

    def widths(self, items: np.ndarray) -> np.ndarray:
        """Return the size that each item's value is padded to."""
        assert self.lengths is not None, "asked only where it varies"
        most = self.condition.longest
        lengths = self.lengths[self._places(items)].tolist()
        return np.array([min(bucket(n), most) if most else bucket(n) for n in lengths])

    def inputs(self, items: np.ndarray) -> dict[str, np.ndarray]:
        """Return what ``decode`` is given for some items, all of one width."""
        name, places = self.condition.name, self._places(items)
        if self.lengths is None:
            told = {} if self.condition.required else {f"{name}_missing": self.missing[places]}
            return {name: self.rows[places], **told}
        like = self.rows[0]
        padded = np.zeros((len(items), self.widths(items[:1])[0], *like.shape[1:]), like.dtype)
        for row, place in zip(padded, places, strict=True):
            row[: len(self.rows[place])] = self.rows[place]
        return {name: padded, f"{name}_length": self.lengths[places]}


def _check_names(model: Conditional, asked: Mapping[str, Any]) -> None:
    owner, known = type(model).__name__, {each.name: each for each in model.conditions}
    takes = ["label"] * model.conditional + list(known)
    for name in asked:
        if name not in known:
            raise UsageError(
                f"{owner} takes no condition {name!r}.",
                suggestion(name, takes) or f"It takes {', '.join(takes) or 'none'}.",
            )
    for name, condition in known.items():
        if condition.required and asked.get(name) is None:
            raise UsageError(
                f"{owner} generates nothing without a value of {name!r}.",
                f"Give it: given={{{name!r}: ...}}, on the command line --where {name}=VALUE.",
            )


def _value_of(condition: Condition, model: Conditional, n: int, value: Any) -> _Value:
    """Check and encode what is given for a condition; None where it isn't."""
    name, schema = condition.name, model.schema
    assert schema is not None, "a model that takes conditions knows its data"
    field = schema[condition.field_name(schema)]
    values = _listed(value, field)
    if values is not None and len(values) != n:
        raise UsageError(f"Expected one value of {name!r}, or {n} of them; received {len(values)}.")
    values = [value] if values is None else values
    missing = np.array([each is None or each is np.ma.masked for each in values])
    if condition.required and missing.any():
        raise UsageError(
            f"Expected a value of {name!r} for each item; that of item {missing.argmax()} is "
            "missing."
        )
    encoded = model.encode_condition(
        name, [each for each, absent in zip(values, missing, strict=True) if not absent]
    )
    if field.varies:
        return _of_many_lengths(condition, field, list(encoded), missing)
    there = np.asarray(encoded)
    rows = np.zeros((len(values), *there.shape[1:]), there.dtype)
    rows[~missing] = there
    return _Value(condition, rows, missing, None)


def _of_many_lengths(
    condition: Condition, field: Field, encoded: Sequence[np.ndarray], missing: np.ndarray
) -> _Value:
    dtype = np.float32 if np.dtype(field.dtype).kind == "f" else np.int32
    there = iter(encoded)
    empty = np.zeros((0, *(size or 0 for size in field.shape[1:])), dtype)
    rows = [empty if absent else np.asarray(next(there), dtype) for absent in missing]
    lengths = np.array([len(row) for row in rows], np.int32)
    most = condition.longest
    if most is not None and lengths.max() > most:
        raise UsageError(
            f"Expected {condition.name!r} of at most {most} steps, which the model takes; received "
            f"{lengths.max()}."
        )
    return _Value(condition, rows, missing, lengths)


def _listed(value: Any, field: Field) -> Sequence[Any] | None:
    """Return the values of the items, or None if there is one for all."""
    if isinstance(value, (list, tuple)):
        return value
    if not hasattr(value, "__array__") or np.ndim(value) == 0:
        return None
    array = value if isinstance(value, np.ndarray) else np.asarray(value)
    return list(array) if array.dtype == object or array.ndim > len(field.shape) else None


def values_from(
    source: Source, model: Conditional, n: int, *, every: bool = False, seed: int | None = None
) -> dict[str, list[Any]]:
    """Return values of the conditions that a model needs, as items of some data have them.

    Whoever measures a model, or shows it, has nobody to ask.

    Args:
        source: the data.
        model: what takes them.
        n: how many of each.
        every: those of all conditions, not only of those that the model needs.
        seed: of the order of the items; their own, if it is left out.

    Raises:
        DataError: the first items of the data have none.
    """
    wanted = [each for each in model.conditions if each.required or every]
    if not wanted:
        return {}
    items = np.arange(len(source))
    if seed is not None:
        items = np.random.default_rng(seed).permutation(items)
    rows = source.gather(items[:n])
    values = {}
    for condition in wanted:
        name = condition.field_name(source.schema)
        missing = rows.get(f"{name}_missing", np.zeros(len(rows[name]), bool))
        there = [
            item[: condition.longest] if source.schema[name].varies else item
            for item, absent in zip(items_of(rows, source.schema, name), missing, strict=True)
            if not np.any(absent)
        ]
        if not there:
            raise DataError(f"Expected values of {name!r} in the data; its first have none.")
        values[condition.name] = [there[place % len(there)] for place in range(n)]
    return values
