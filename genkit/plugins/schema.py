"""What one item of a data set is: its fields, each with shape, dtype, range and modality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from genkit.errors import DataError, PluginError

_DTYPES = frozenset(
    {"bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "int64"}
    | {"float16", "float32", "float64", "string"}
)


@dataclass(frozen=True)
class Field:
    """One named part of a data item.

    Args:
        shape: shape of one item, without the batch axis; None for a varying length.
            Images are ``(height, width, channels)``, a label is ``()``.
        dtype: the numpy name of the stored type.
        modality: what the values mean: ``"image"``, ``"label"``, ``"text"``, ``"vector"``, ...
        range: lowest and highest value; for images what black and white are.
        classes: names of the classes, in order of their numbers, for a label.
    """

    shape: tuple[int | None, ...]
    dtype: str
    modality: str
    range: tuple[float, float] | None = None
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "shape", tuple(self.shape))
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.dtype not in _DTYPES:
            raise PluginError(f"A field's dtype must be one of {sorted(_DTYPES)}: {self}.")
        if not all(size is None or (type(size) is int and size > 0) for size in self.shape):
            raise PluginError(f"A field's sizes must be positive integers or None: {self}.")
        if self.range is not None:
            low, high = (float(bound) for bound in self.range)
            if not low < high:
                raise PluginError(f"A field's range must be (low, high) with low < high: {self}.")
            object.__setattr__(self, "range", (low, high))


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
        raise DataError(
            f"Expected data with a field of modality {modality!r}; "
            f"received {', '.join(f'{n} ({f.modality})' for n, f in self.fields.items())}.",
            "Choose another data set or model: genkit list",
        )

    def main_field(self) -> str:
        """Name what is shown and measured: the first image, or else the first that is no label."""
        images = [name for name, field in self.fields.items() if field.modality == "image"]
        others = [name for name, field in self.fields.items() if field.modality != "label"]
        return (images or others or list(self.fields))[0]

    def replace(self, **fields: Field) -> Schema:
        """Return a copy with some fields exchanged."""
        return Schema({**self.fields, **fields})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            name: {
                "shape": list(f.shape),
                "dtype": f.dtype,
                "modality": f.modality,
                "range": list(f.range) if f.range else None,
                "classes": list(f.classes),
            }
            for name, f in self.fields.items()
        }

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
