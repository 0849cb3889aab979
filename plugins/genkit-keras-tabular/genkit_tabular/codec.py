"""Columns cut into codes by quantiles, and back; seconds for any table, exact both ways.

A code is an interval of keys. A value that is frequent, or one of few, is a code of its own: an
atom. What is rare among many names is one code together. The last code is for what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError
from genkit_tabular.columns import Column
from genkit_tabular.keys import Keys, floats, ordinals

PLACES = 1 << 31
"""How many places a code has: where in its interval a value is."""

_ATOM = 0.01  # of the rows: a value that has more of them is a code of its own
# Beside even quantiles: the tails are long, and a bin there would be mostly empty.
_TAILS = (0.0005, 0.001, 0.002, 0.005, 0.995, 0.998, 0.999, 0.9995)


@dataclass(frozen=True)
class Codec:
    """The codes of a column.

    Args:
        low: least key of each code, rising, int64.
        high: greatest key of each.
        counts: how many rows each had, that of what is missing behind them.
        is_float: whether keys are places of floats.
        missing: whether there is a code for what is missing.
    """

    low: Keys
    high: Keys
    counts: NDArray[np.int64]
    is_float: bool = False
    missing: bool = False

    @property
    def size(self) -> int:
        """How many codes there are, that of what is missing among them."""
        return len(self.low) + self.missing

    @classmethod
    def fit(
        cls,
        column: Column,
        keys: Keys,
        absent: int,
        *,
        bins: int,
        most: int,
        bounds: Keys | None = None,
    ) -> Codec:
        """Cut a column into codes.

        Args:
            column: what it is.
            keys: of the values that are there.
            absent: how many are missing.
            bins: about how many codes a column of many values has.
            most: how many different values may be codes of their own.
            bounds: least and greatest key that may be generated; None for those of the data.
        """
        if bounds is not None:
            keys = np.clip(keys, bounds[0], bounds[1])
        values, counts = np.unique(keys, return_counts=True)
        if column.is_named and len(values) > most:
            low, high = _common(values, most)
        elif len(values) <= most or column.is_named:
            low = high = values
        else:
            low, high = _cut(values, counts, bins)
        starts = np.searchsorted(values, low)
        sums = np.concatenate([[0], np.cumsum(counts)])
        ends = np.searchsorted(values, high, side="right")
        rows = (sums[ends] - sums[starts]).astype(np.int64)
        missing = column.missing or not len(values)
        rows = np.concatenate([rows, [absent]]) if missing else rows
        return cls(low, high, rows.astype(np.int64), column.is_float, missing)

    def encode(self, keys: Keys, absent: NDArray[np.bool_]) -> tuple[NDArray[np.int32], Keys]:
        """Return the code of each value, and how far it is from the code's least key.

        A value between codes gets the one below it.

        Args:
            keys: of all rows, anything where a value is missing.
            absent: which are missing.

        Raises:
            DataError: values are missing, and there is no code for that.
        """
        if absent.any() and not self.missing:
            raise DataError("Expected a value in every row; some are missing.")
        if not len(self.low):
            return np.zeros(len(keys), np.int32), np.zeros(len(keys), np.int64)
        codes = np.clip(np.searchsorted(self.low, keys, side="right") - 1, 0, None)
        inside = np.minimum(np.maximum(keys, self.low[codes]), self.high[codes])
        offsets = np.where(absent, 0, inside - self.low[codes])
        return np.where(absent, len(self.low), codes).astype(np.int32), offsets

    def decode(self, codes: NDArray[np.int32], offsets: Keys) -> tuple[Keys, NDArray[np.bool_]]:
        """Return the keys, and which values are missing."""
        absent = codes >= len(self.low)
        if not len(self.low):
            return np.zeros(len(codes), np.int64), absent
        keys = self.low[np.where(absent, 0, codes)] + offsets
        return np.where(absent, 0, keys), absent

    def offsets(self, codes: NDArray[np.int32], places: NDArray[np.integer]) -> Keys:
        """Return how far from the least key of its code a value at a place is.

        Args:
            codes: one a value.
            places: 0 to ``PLACES - 1``; even over a code, they give keys that are even over it.
        """
        if not len(self.low):
            return np.zeros(len(codes), np.int64)
        known = np.where(codes >= len(self.low), 0, codes)
        low, high = self.low[known], self.high[known]
        places = places.astype(np.int64)
        if self.is_float:  # even over the floats' values, not over their places
            share, least, most = places / PLACES, floats(low), floats(high)
            between = least * (1 - share) + most * share
            return np.clip(ordinals(between), low, high) - low
        width = (high - low).astype(np.uint64) + np.uint64(1)
        whole, rest = np.divmod(width, np.uint64(PLACES))
        found = (places.astype(np.uint64) * rest) >> np.uint64(31)
        if whole.any():
            # More keys than places: what is between two places follows from the place.
            between = (places.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(1)
            found += places.astype(np.uint64) * whole + between % np.maximum(whole, np.uint64(1))
        return np.minimum(found, width - np.uint64(1)).astype(np.int64)

    def limits(self, least: int, most: int) -> NDArray[np.int32]:
        """Return which places of each code have keys from ``least`` to ``most``.

        Returns:
            first place, and that behind the last, of each code, shape ``(2, size)``; both zero
            where there is none. What is missing is in no interval.
        """
        found = np.zeros((2, self.size), np.int64)
        low, high = self.low, self.high
        inside = (high >= least) & (low <= most)
        first, last = np.maximum(low, least), np.minimum(high, most)
        for code in np.flatnonzero(inside):
            ends = (low[code], high[code], first[code], last[code])
            found[:, code] = self._places(*map(int, ends))
        return np.minimum(found, PLACES - 1).astype(np.int32)

    def _places(self, low: int, high: int, first: int, last: int) -> tuple[int, int]:
        """Return the places of a code, from ``low`` to ``high``, that are ``first`` to ``last``."""
        if self.is_float and high > low:
            least, most, start, end = floats(np.array([low, high, first, last])).tolist()
            width = most - least
            begin = int(np.ceil((start - least) / width * PLACES))
            return begin, max(begin + 1, int((end - least) / width * PLACES))
        width = high - low + 1
        begin = -(-(first - low) * PLACES // width)
        return begin, max(begin + 1, (last + 1 - low) * PLACES // width)

    def to_assets(self, place: int) -> dict[str, np.ndarray]:
        """Return it as assets of the column at a place."""
        flags = np.array([self.is_float, self.missing])
        named = {"low": self.low, "high": self.high, "counts": self.counts, "flags": flags}
        return {f"column.{place}.{name}": array for name, array in named.items()}


def codecs_of(assets: Mapping[str, np.ndarray], columns: Sequence[Column]) -> list[Codec | None]:
    """Read the codecs of columns; None for a column that no model learns.

    Raises:
        DataError: one is not there, or damaged.
    """
    return [
        _codec_of(assets, place) if column.modelled else None
        for place, column in enumerate(columns)
    ]


def _codec_of(assets: Mapping[str, np.ndarray], place: int) -> Codec:
    names = ("low", "high", "counts", "flags")
    arrays = [assets.get(f"column.{place}.{name}") for name in names]
    if any(array is None or array.ndim != 1 for array in arrays):
        raise DataError("Expected the codes of a table's columns in its assets; they are damaged.")
    low, high, counts, flags = (np.asarray(array) for array in arrays)
    codec = Codec(low.astype(np.int64), high.astype(np.int64), counts, *map(bool, flags))
    ordered = bool((low <= high).all() and (high[:-1] < low[1:]).all())
    if len(low) != len(high) or len(counts) != codec.size or not ordered or not codec.size:
        raise DataError("Expected the codes of a table's columns in its assets; they are damaged.")
    return codec


def _common(values: Keys, most: int) -> tuple[Keys, Keys]:
    """Return a code for each of the most frequent names, numbered so, and one for all the rest."""
    low = values[:most]
    high = low.copy()
    high[-1] = values[-1]
    return low, high


def _cut(values: Keys, counts: NDArray[np.int64], bins: int) -> tuple[Keys, Keys]:
    """Return intervals with about as many rows each, and the atoms between them."""
    sums = np.cumsum(counts)
    total = sums[-1]
    shares = np.unique([*np.arange(1, bins) / bins, *_TAILS])
    starts = {0, *np.searchsorted(sums, shares * total, side="right").tolist()}
    atoms = np.flatnonzero(counts > _ATOM * total)
    starts |= {*atoms.tolist(), *(atoms + 1).tolist()}
    begin = np.array(sorted(start for start in starts if start < len(values)))
    end = np.concatenate([begin[1:], [len(values)]]) - 1
    return values[begin], values[end]
