"""What one item of a data set is: its fields, each with shape, dtype, range and modality."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from genkit.errors import DataError, PluginError

_INTEGERS = frozenset(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))
# Days, or parts of a second, since the beginning of 1970, and between two of them.
_TIMES = frozenset(
    f"{kind}64[{unit}]"
    for kind in ("datetime", "timedelta")
    for unit in ("D", "s", "ms", "us", "ns")
)
_DTYPES = _INTEGERS | _TIMES | {"bool", "float16", "float32", "float64", "string"}
_EXACT = _TIMES | {"int64", "uint64"}  # what floats can't tell apart
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Field:
    """One named part of a data item.

    Args:
        shape: shape of one item, without the batch axis; None for the size of an axis along
            which items vary. Images are ``(height, width, channels)``, a label is ``()``, a
            sound of any length is ``(None,)``.
        dtype: the numpy name of the stored type; ``"string"`` for text, ``"datetime64[D]"`` for
            dates. Of dates there are units D, s, ms, us and ns, and ``"timedelta64[...]"``.
        modality: what the values mean: ``"image"``, ``"label"``, ``"text"``, ``"vector"``, ...
        range: lowest and highest value, equal for a constant; for images what black and white
            are. Of 64-bit integers, dates and durations they may be integers, exact, in the
            dtype's own unit.
        classes: names of the classes, in order of their numbers, for a label.
        rate: steps of the first axis a second, of sound and video.
        missing: whether values may be absent.
        vocabulary: SHA-256 of the names of the classes where they are too many to stand in every
            file: they are an asset then. See ``genkit.data.vocabulary_of``.
    """

    shape: tuple[int | None, ...]
    dtype: str
    modality: str
    range: tuple[float, float] | None = None
    classes: tuple[str, ...] = ()
    rate: float | None = None
    missing: bool = False
    vocabulary: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.dtype not in _DTYPES:
            raise PluginError(f"A field's dtype must be one of {sorted(_DTYPES)}: {self}.")
        if not all(size is None or (type(size) is int and size > 0) for size in self.shape):
            raise PluginError(f"A field's sizes must be positive integers or None: {self}.")
        if self.range is not None:
            exact = self.dtype in _EXACT and all(type(x) is int for x in self.range)
            low, high = (bound if exact else float(bound) for bound in self.range)
            if not low <= high:
                raise PluginError(f"A field's range must be (low, high) with low <= high: {self}.")
            object.__setattr__(self, "range", (low, high))
        if self.rate is not None and not (self.shape and 0 < self.rate < math.inf):
            raise PluginError(f"A field's rate must be above 0, and need an axis: {self}.")
        if not isinstance(self.missing, bool):
            raise PluginError(f"A field's missing must be True or False: {self}.")
        if self.vocabulary and (self.classes or not _DIGEST.fullmatch(self.vocabulary)):
            raise PluginError(f"A field's vocabulary must be a SHA-256, without classes: {self}.")

    @property
    def computable(self) -> bool:
        """Whether networks can compute with its values: neither text nor a date."""
        return self.dtype != "string" and self.dtype not in _TIMES

    @property
    def varies(self) -> bool:
        """Whether its items vary in length, along the first axis.

        Raises:
            PluginError: they vary along another axis: no batch can hold them.
        """
        if None in self.shape[1:]:
            raise PluginError(f"Items of a batch may vary along the first axis alone: {self}.")
        return None in self.shape

    @property
    def span(self) -> float:
        """How wide its range is, to divide by: 1 for a constant, or without a range."""
        low, high = self.range or (0.0, 1.0)
        return float(high - low) or 1.0


@dataclass(frozen=True)
class Schema:
    """What one item of a data set is: its fields by name.

    Drives how models are built, how samples are rendered, and the range of what is generated.

    Example:
        >>> schema = Schema({"image": Field((28, 28, 1), "uint8", "image", (0, 255))})
        >>> schema["image"].shape
        (28, 28, 1)
    """

    fields: Mapping[str, Field]

    def __post_init__(self) -> None:
        if not self.fields:
            raise PluginError("A schema needs at least one field; received none.")
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))
        for name in self.fields:
            if taken := self.fields.keys() & set(self.companions(name).values()):
                raise PluginError(f"The name {taken.pop()!r} is that of an array beside {name!r}.")

    def __getitem__(self, name: str) -> Field:
        return self.fields[name]

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def name_of(self, modality: str) -> str:
        """Name the first field of this modality.

        Raises:
            DataError: the data has no such field.
        """
        for name, candidate in self.fields.items():
            if candidate.modality == modality:
                return name
        remedy = "Choose another data set or model: genkit list"
        if modality == "label":
            remedy = f"Labels of an image folder are its sub-folders, one a class. {remedy}"
        raise DataError(
            f"Expected data with a field of modality {modality!r}; "
            f"received {', '.join(f'{n} ({f.modality})' for n, f in self.fields.items())}.",
            remedy,
        )

    def main_field(self) -> str:
        """Name the first field that is no label: what is generated where no record says it."""
        others = [name for name, field in self.fields.items() if field.modality != "label"]
        return (others or list(self.fields))[0]

    def companions(self, name: str) -> dict[str, str]:
        """Name the arrays that come with a field in a batch.

        Returns:
            names by what they tell: ``"length"``, int32 of shape ``(batch,)``, how long each item
            is where they vary; ``"missing"``, bool, which values are absent where some may be.
        """
        field = self.fields[name]
        told = {"length": None in field.shape, "missing": field.missing}
        return {what: f"{name}_{what}" for what, is_told in told.items() if is_told}

    def replace(self, **fields: Field) -> Schema:
        """Return a copy with some fields exchanged."""
        return Schema({**self.fields, **fields})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {name: _form_of(field) for name, field in self.fields.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Schema:
        """Read the JSON form.

        Raises:
            DataError: the form is not a schema's.
        """
        try:
            return cls({str(name): Field(**fields) for name, fields in data.items()})
        except (TypeError, ValueError, AttributeError, PluginError) as error:
            raise DataError(f"Expected a schema; received {str(data)[:200]}: {error}") from error


def _form_of(field: Field) -> dict[str, Any]:
    """Return the JSON form of a field; what a field rarely has stands there only if it has it."""
    form: dict[str, Any] = {
        "shape": list(field.shape),
        "dtype": field.dtype,
        "modality": field.modality,
        "range": list(field.range) if field.range else None,
        "classes": list(field.classes),
    }
    rare = {"rate": field.rate, "missing": field.missing, "vocabulary": field.vocabulary}
    return {**form, **{name: value for name, value in rare.items() if value}}
