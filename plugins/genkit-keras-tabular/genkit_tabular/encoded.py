"""Rows as models of tables compute with them: the codes of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.data import Batch, Source
from genkit_tabular.keys import keys_of, places_in
from genkit_tabular.parsing import parse

if TYPE_CHECKING:
    from genkit_tabular.learned import Learned

CODES = "codes"
_BLOCK = 1 << 16


class EncodedRows(Source):
    """Codes of rows, in memory.

    Args:
        source: the rows.
        codes: int32 of shape ``(rows, columns)``.
        offsets: how far each value is from its code's least key, int64 of the same shape.
    """

    def __init__(self, source: Source, codes: NDArray[np.int32], offsets: NDArray[Any]) -> None:
        self._source, self.codes, self.offsets = source, codes, offsets
        self.schema = genkit.Schema({CODES: genkit.Field((codes.shape[1],), "int32", "vector")})

    @classmethod
    def of(cls, source: Source, learned: Sequence[Learned]) -> EncodedRows:
        """Encode all rows of a source whose fields are a table's columns."""
        if hasattr(source, "encoded"):  # a table's own source has them at hand
            return cls(source, *source.encoded())
        parts = []
        for start in range(0, len(source), _BLOCK):
            rows = source.gather(np.arange(start, min(start + _BLOCK, len(source))))
            parts.append(encode_items(rows, learned))
        codes, offsets = (np.concatenate(part) for part in zip(*parts, strict=True))
        return cls(source, codes, offsets)

    def __len__(self) -> int:
        return len(self.codes)

    def gather(self, indices: NDArray[np.integer]) -> Batch:
        """Return the codes of rows."""
        return {CODES: self.codes[indices]}

    def fingerprint(self) -> str:
        """Return that of the rows."""
        return self._source.fingerprint()


def encode_items(
    items: dict[str, Any], learned: Sequence[Learned]
) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return codes and offsets of items, shape ``(rows, columns)`` each.

    Args:
        items: by field, as a source has them, with ``<field>_missing``, or as a model presents
            them, masked.
        learned: the columns.
    """
    found = [each.codec.encode(*keys_and_absent(items, each)) for each in learned]
    codes, offsets = zip(*found, strict=True)
    return np.stack(codes, 1), np.stack(offsets, 1)


def keys_and_absent(
    items: dict[str, Any], each: Learned
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the keys of a column of items, and which values are missing."""
    values, absent = np.ma.getdata(items[each.name]), np.ma.getmaskarray(items[each.name])
    absent = absent | items.get(f"{each.name}_missing", np.zeros(len(values), bool))
    keys = np.zeros(len(values), np.int64)
    there = values[~absent]
    if each.column.is_named:
        if there.dtype == object:
            place = places_in(each.classes)
            there = np.array([place[str(name)] for name in there], np.int64)
        keys[~absent] = there
    elif len(there):
        if each.column.is_written:
            there, _ = parse(each.column, [str(text) for text in there])
        keys[~absent] = keys_of(each.column, there)
    return keys, absent


def numbers_and_absent(
    items: Mapping[str, Any], each: Learned
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the values of a column of numbers, truths or dates as they are, and which are missing.

    Args:
        items: as for ``keys_and_absent``.
        each: the column.
    """
    values, absent = np.ma.getdata(items[each.name]), np.ma.getmaskarray(items[each.name])
    return values, absent | items.get(f"{each.name}_missing", np.zeros(len(values), bool))
