"""Data in columns: of varying length, with values that are missing, with vocabularies."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from genkit.data.source import Batch, Source, bytes_of
from genkit.data.varying import Ragged
from genkit.data.vocabulary import vocabulary_of
from genkit.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from genkit.plugins.schema import Field, Schema


class ColumnSource(Source):
    """Data held in columns, one a field.

    Args:
        columns: by field. An array, the first axis the items; a ``Ragged``, or a list of arrays,
            for a field of varying length; where the field says that values may be ``missing``, a
            ``numpy.ma.MaskedArray``, or NaN, NaT and None in an array.
        schema: what one item is.
        assets: arrays by name that models need, vocabularies among them.

    Raises:
        DataError: the columns don't fit the schema, differ in length, or are empty; values are
            missing where none may be; a vocabulary isn't among the assets.
    """

    def __init__(
        self,
        columns: Mapping[str, Any],
        schema: Schema,
        assets: Mapping[str, NDArray[Any]] = MappingProxyType({}),
    ) -> None:
        if set(columns) != set(schema.fields):
            raise DataError(
                f"Expected columns named {', '.join(sorted(schema.fields))}; "
                f"received {', '.join(sorted(columns)) or 'none'}."
            )
        self.schema, self.assets = schema, MappingProxyType(dict(assets))
        self._columns: dict[str, NDArray[Any] | Ragged] = {}
        self._missing: dict[str, NDArray[np.bool_]] = {}
        for name, field in schema.fields.items():
            vocabulary_of(schema, name, self.assets)
            if field.varies:
                self._columns[name] = _ragged(name, columns[name], field)
            else:
                self._columns[name], missing = _array(name, columns[name], field)
                if field.missing:
                    self._missing[name] = missing
        lengths = {name: len(column) for name, column in self._columns.items()}
        if len(set(lengths.values())) > 1 or not next(iter(lengths.values())):
            listed = ", ".join(f"{name}: {length}" for name, length in lengths.items())
            raise DataError(f"Expected columns of one length, 1 or more; received {listed}.")

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the items at these indices, with the lengths and what is missing."""
        batch: Batch = {}
        for name, column in self._columns.items():
            if isinstance(column, Ragged):
                batch[name], batch[f"{name}_length"] = column.padded(indices)
            else:
                batch[name] = column[indices]
            if name in self._missing:
                batch[f"{name}_missing"] = self._missing[name][indices]
        return batch

    def fingerprint(self) -> str:
        """Return the SHA-256 of shapes, dtypes and contents; the same on every machine."""
        digest = hashlib.sha256(json.dumps(self.schema.to_dict(), sort_keys=True).encode())
        for name, column in sorted(self._columns.items()):
            arrays = [column.values, column.lengths] if isinstance(column, Ragged) else [column]
            arrays += [self._missing[name]] if name in self._missing else []
            for array in arrays:
                digest.update(json.dumps([name, list(array.shape)]).encode())
                digest.update(bytes_of(array))
        return digest.hexdigest()


def _ragged(name: str, column: Any, field: Field) -> Ragged:
    if field.missing:
        raise DataError(
            f"Expected {name!r} to vary in length or to have missing values, not both.",
            "Let an item of length 0 stand for one that is missing.",
        )
    held = column if isinstance(column, Ragged) else Ragged.of(list(column), field.dtype)
    if held.values.dtype != np.dtype(field.dtype) or held.values.shape[1:] != field.shape[1:]:
        raise DataError(
            f"Expected {name!r} as {field.dtype} of shape {field.shape}; received "
            f"{held.values.dtype} of shape {(None, *held.values.shape[1:])}."
        )
    return held


def _array(name: str, column: Any, field: Field) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the values, those that are missing as the dtype's zero, and which are missing."""
    values, missing = np.asarray(column), np.ma.getmaskarray(column)
    if field.dtype == "string":
        values = values.astype(object)
        missing = missing | np.array([item is None for item in values.flat]).reshape(values.shape)
        values = np.where(missing, "", values)
        if not all(isinstance(item, str) for item in values.flat):
            raise DataError(f"Expected text only in {name!r}; received other values too.")
    elif values.dtype != np.dtype(field.dtype):
        raise DataError(f"Expected {name!r} as {field.dtype}; received {values.dtype}.")
    if values.dtype.kind in "fmM":
        missing = missing | np.isnan(values)
    if values.ndim == 0 or values.shape[1:] != field.shape:
        raise DataError(
            f"Expected {name!r} of shape {('items', *field.shape)}; received {values.shape}."
        )
    if missing.any() and not field.missing:
        raise DataError(
            f"Expected a value everywhere in {name!r}; {int(missing.sum())} of {missing.size} are "
            "missing.",
            "Say in the schema that they may be: Field(..., missing=True).",
        )
    if field.dtype != "string":
        _check_range(name, values[~missing], field)
        values = np.where(missing, np.zeros((), values.dtype), values)
    return values, missing


def _check_range(name: str, values: NDArray[Any], field: Field) -> None:
    bounds = (0, len(field.classes) - 1) if field.classes else field.range
    if bounds is None or not values.size:
        return
    numbers = values.astype(np.int64) if values.dtype.kind in "mM" else values
    low, high = numbers.min().item(), numbers.max().item()
    if low < bounds[0] or high > bounds[1]:
        lowest, highest = (int(x) if float(x).is_integer() else x for x in bounds)
        raise DataError(f"Expected {name!r} from {lowest} to {highest}; received {low} to {high}.")
