"""Items as columns that people read: names of classes, text, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data import vocabulary_of
from genkit.errors import DataError
from genkit.report.forms import is_scalar, is_text
from genkit.report.texts import TextOf

if TYPE_CHECKING:
    from genkit.plugins.schema import Field, Schema


@dataclass(frozen=True)
class ReadableColumn:
    """Values of a field, one an item.

    Args:
        values: shape ``(n,)``: numbers, dates, or in an object array ``str`` and lists.
        missing: bool of the same shape: which of them are absent.
    """

    values: np.ndarray
    missing: np.ndarray

    def texts(self) -> list[str]:
        """Return values as text from which they can be read again; empty for what is missing."""
        values = self.values
        if values.dtype.kind == "b":
            values = np.where(values, "true", "false")
        elif values.dtype.kind == "m":
            values = values.astype(np.int64)
        written: list[str] = values.astype(str).tolist()
        for place in np.flatnonzero(self.missing):
            written[place] = ""
        return written

    def jsons(self) -> list[Any]:
        """Return values as JSON has them; None for what is missing, NaN and infinity."""
        values, absent = self.values, self.missing
        if values.dtype.kind == "f":
            absent = absent | ~np.isfinite(values)
            values = values.astype(str).astype(np.float64)  # as short as its own precision
        elif values.dtype.kind == "M":
            values = values.astype(str)
        elif values.dtype.kind == "m":
            values = values.astype(np.int64)
        written: list[Any] = values.tolist()
        for place in np.flatnonzero(absent):
            written[place] = None
        return written


class ReadableColumns:
    """Turns items of some fields into columns.

    Args:
        schema: what the data is.
        fields: names of the fields, in order.
        assets: those of the data: vocabularies, for example.
    """

    def __init__(
        self, schema: Schema, fields: Sequence[str], assets: Mapping[str, np.ndarray]
    ) -> None:
        self.fields = {name: schema[name] for name in fields}
        self.names = {
            name: vocabulary_of(schema, name, assets) if assets or not field.vocabulary else ()
            for name, field in self.fields.items()
        }

    def is_named(self, name: str) -> bool:
        """Whether a field's numbers are written by the names of their classes."""
        return bool(self.names[name]) and is_scalar(self.fields[name])

    def of(self, items: Mapping[str, Any]) -> dict[str, ReadableColumn]:
        """Return a batch of items as columns.

        Args:
            items: by field; what is missing is masked, NaN, NaT or None, or told by an array
                ``<field>_missing``.
        """
        return {
            name: self._column(name, field, items[name], items.get(f"{name}_missing"))
            for name, field in self.fields.items()
        }

    def arrays_of(self, items: Mapping[str, Any]) -> dict[str, Any]:
        """Return a batch of items as the data has them: classes by their numbers, not by names.

        Args:
            items: by field, as models present them.
        """
        arrays = {name: items[name] for name in self.fields}
        for name, field in self.fields.items():
            if self.is_named(name) and items[name].dtype == object:
                values = np.ma.getdata(items[name])
                missing = np.ma.getmaskarray(items[name]) | np.array([v is None for v in values])
                numbers = _numbered(name, values, missing, self._places[name])
                arrays[name] = np.ma.MaskedArray(numbers.astype(field.dtype), missing)
                if not field.missing:
                    arrays[name] = np.ma.getdata(arrays[name])
        return arrays

    @cached_property
    def _text_of(self) -> dict[str, TextOf]:
        return {name: TextOf(self.names[name]) for name, f in self.fields.items() if is_text(f)}

    @cached_property
    def _places(self) -> dict[str, dict[str, int]]:
        """Numbers of classes by their names, by field."""
        return {
            name: {each: place for place, each in enumerate(names)}
            for name, names in self.names.items()
        }

    def _column(
        self, name: str, field: Field, items: Any, told: np.ndarray | None
    ) -> ReadableColumn:
        if is_text(field):
            return _texts(items, self._text_of[name])
        if not is_scalar(field):
            lists = np.empty(len(items), object)
            for place, item in enumerate(items):
                lists[place] = np.asarray(item).tolist()
            return ReadableColumn(lists, np.zeros(len(items), bool))
        values, missing = np.ma.getdata(items), np.ma.getmaskarray(items)
        if told is not None:
            missing = missing | np.asarray(told)
        if values.dtype == object:
            missing = missing | np.array([each is None for each in values], bool)
            if self.is_named(name) and all(isinstance(each, str) for each in values[~missing]):
                return ReadableColumn(np.where(missing, "", values), missing)
            held = np.zeros(len(values), field.dtype)
            held[~missing] = values[~missing]
            values = held
        elif values.dtype.kind in "mM" or (values.dtype.kind == "f" and field.missing):
            missing = missing | np.isnan(values)
        if self.is_named(name) and values.dtype.kind in "iuf":
            return ReadableColumn(_named(name, values, missing, self.names[name]), missing)
        if field.dtype != "string" and values.dtype.kind not in "OUmM":
            values = np.where(missing, np.zeros((), values.dtype), values)
            whole = np.dtype(field.dtype).kind in "iu" and values.dtype.kind == "f"
            values = (np.rint(values) if whole else values).astype(field.dtype)
        return ReadableColumn(values, missing)


def _numbered(
    name: str, values: np.ndarray, missing: np.ndarray, places: Mapping[str, int]
) -> np.ndarray:
    found = [
        0 if absent else places.get(value, -1)
        for value, absent in zip(values, missing, strict=True)
    ]
    if -1 in found:
        raise DataError(
            f"Expected the names of classes in {name!r}; received {values[found.index(-1)]!r}."
        )
    return np.array(found, np.int64)


def picked(items: Any, which: np.ndarray) -> Any:
    """Return some items of a batch.

    Args:
        items: an array, or a list of arrays that differ in their first axis.
        which: bool array, one an item.
    """
    if isinstance(items, np.ndarray):
        return items[which]
    return [item for item, wanted in zip(items, which, strict=True) if wanted]


def blanked(items: Any, which: np.ndarray, blank: Any) -> Any:
    """Return a batch of items with something else in the place of some.

    Args:
        items: an array, or a list of arrays that differ in their first axis.
        which: bool array, one an item.
        blank: what stands there instead.
    """
    if isinstance(items, np.ndarray) and items.dtype != object:
        shown = items.copy()
        shown[which] = blank
        return shown
    return [blank if hidden else item for item, hidden in zip(items, which, strict=True)]


def masked(items: Any, which: np.ndarray) -> np.ndarray:
    """Return a batch of single values with some of them masked, shape ``(n,)``."""
    mask = np.ma.getmaskarray(items) | which
    return np.ma.MaskedArray(np.ma.getdata(items), mask)


def _texts(items: Iterable[Any], text_of: TextOf) -> ReadableColumn:
    if isinstance(items, np.ma.MaskedArray):
        items = np.where(np.ma.getmaskarray(items), None, np.ma.getdata(items).astype(object))
    items = list(items)
    missing = np.array([item is None for item in items], bool)
    texts = np.array(["" if item is None else text_of(item) for item in items], object)
    return ReadableColumn(texts, missing)


def _named(name: str, values: np.ndarray, missing: np.ndarray, names: Sequence[str]) -> np.ndarray:
    numbers = np.where(missing, 0, values).astype(np.int64)
    if len(numbers) and not 0 <= numbers.min() <= numbers.max() < len(names):
        raise DataError(
            f"Expected {name!r} from 0 to {len(names) - 1}, the numbers of its classes; received "
            f"{numbers.min()} to {numbers.max()}."
        )
    return np.array(names, object)[numbers]
