"""Generated rows beside real ones, in sums: shares, associations of pairs, what is missing.

A value of real rows is named where ``FEWEST`` of them or more have it, and no extreme is: a page is
sent around, and may be read by people who must not see a row.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit_tabular.encoded import keys_and_absent
from genkit_tabular.keys import values_of
from genkit_tabular.learned import Learned

FEWEST = 10
"""Real rows that a named share is of, at least: rarer values are put together with others."""

_MOST_BARS, _SLOTS = 10, 20
_TAIL = 0.01  # of a column's rows at each end: they are put into the first and the last slot
_CLASSES = 8  # that a column is parted into, to see how it goes with others
_MISSING = "missing"


@dataclass(frozen=True)
class Marginal:
    """A column's shares.

    Args:
        name: of the column.
        labels: of the shares; of a histogram its two ends.
        real: shares of the real rows, which sum to 1 with ``missing``.
        made: those of the generated.
        missing: shares that are missing, real and generated.
        slots: whether the shares are slots of a histogram, of one width.
        by_chance: the difference that as many real rows would have, about.
    """

    name: str
    labels: tuple[str, ...]
    real: NDArray[np.float64]
    made: NDArray[np.float64]
    missing: tuple[float, float]
    slots: bool
    by_chance: float

    @property
    def difference(self) -> float:
        """Half the sum of the differences of shares: 0 the same, 1 nothing in common."""
        apart = np.abs(self.real - self.made).sum() + abs(self.missing[0] - self.missing[1])
        return float(apart / 2)


@dataclass(frozen=True)
class Both:
    """A column of real and of generated rows.

    Args:
        each: what it is.
        real: keys, and which are missing.
        made: the same of the generated.
    """

    each: Learned
    real: tuple[NDArray[np.int64], NDArray[np.bool_]]
    made: tuple[NDArray[np.int64], NDArray[np.bool_]]

    @classmethod
    def of(cls, each: Learned, real: Mapping[str, Any], made: Mapping[str, Any]) -> Both:
        """Read a column of items by field."""
        return cls(each, keys_and_absent(dict(real), each), keys_and_absent(dict(made), each))

    @property
    def sizes(self) -> tuple[int, int]:
        """How many rows there are, real and generated."""
        return len(self.real[1]), len(self.made[1])


def marginal(both: Both) -> Marginal:
    """Return a column's shares in real and in generated rows."""
    there = both.real[0][~both.real[1]]
    values, counts = np.unique(there, return_counts=True)
    named = both.each.column.is_named or both.each.column.kind == "boolean"
    slots = not named and (len(values) > _MOST_BARS or counts.min(initial=FEWEST) < FEWEST)
    find = _slots if slots and len(there) >= FEWEST else _bars
    labels, real, made = find(both, values, counts)
    sizes = both.sizes
    missing = tuple(
        float(absent.mean()) if len(absent) else 0.0 for _, absent in (both.real, both.made)
    )
    shares = np.append(real, missing[0])
    spread = np.sqrt(2 / np.pi * shares * (1 - shares) * (1 / sizes[0] + 1 / max(1, sizes[1])))
    return Marginal(
        both.each.name, labels, real, made, (missing[0], missing[1]), find is _slots,
        float(spread.sum() / 2),
    )  # fmt: skip


def _bars(
    both: Both, values: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of the most frequent values, and of all others together."""
    most = np.argsort(-counts, kind="stable")[:_MOST_BARS]
    known = values[most[counts[most] >= FEWEST]]
    known = known if both.each.column.kind == "category" else np.sort(known)
    shares = []
    for keys, absent in (both.real, both.made):
        found = np.array([np.sum(keys[~absent] == key) for key in known], np.float64)
        rest = np.sum(~absent) - found.sum()
        shares.append(np.append(found, rest) / max(1, len(absent)))
    real, made = shares
    labels = (*_words(both.each, known), "all others")
    if not real[-1] and not made[-1]:
        return labels[:-1], real[:-1], made[:-1]
    return labels, real, made


def _slots(
    both: Both,
    values: NDArray[np.int64],
    counts: NDArray[np.int64],
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
    """Return the shares of slots of one width, from the first to the last percentile."""
    numbers = _numbers(both.each, values)
    sums = np.cumsum(counts)
    places = np.searchsorted(sums, np.array([_TAIL, 1 - _TAIL]) * sums[-1])
    low, high = numbers[places]
    if low == high:
        return _bars(both, values, counts)
    edges = np.linspace(low, high, _SLOTS + 1)[1:-1]
    found = []
    for keys, absent in (both.real, both.made):
        slots = np.searchsorted(edges, _numbers(both.each, keys[~absent]), side="right")
        found.append(np.bincount(slots, minlength=_SLOTS).astype(np.float64))
    groups = _merged(found[0])
    real, made = (
        (np.bincount(groups, each) / np.bincount(groups))[groups] / max(1, size)
        for each, size in zip(found, both.sizes, strict=True)
    )
    return tuple(_words(both.each, values[places])), real, made


def _merged(counts: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the group of each slot, so that no group has fewer than ``FEWEST`` real rows."""
    groups, group, held = np.zeros(len(counts), np.intp), 0, 0.0
    for slot, count in enumerate(counts):
        if held >= FEWEST:
            group, held = group + 1, 0.0
        groups[slot] = group
        held += count
    if held < FEWEST and group:
        groups[groups == group] = group - 1
    return groups


def _numbers(each: Learned, keys: NDArray[np.int64]) -> NDArray[np.float64]:
    values = values_of(each.column, keys)
    return values.astype(np.int64 if values.dtype.kind in "mM" else np.float64).astype(np.float64)


def _words(each: Learned, keys: NDArray[np.int64]) -> list[str]:
    """Return values in words."""
    if each.column.is_named:
        return [each.classes[key] for key in keys]
    values = values_of(each.column, keys)
    if values.dtype.kind == "b":
        return ["true" if value else "false" for value in values]
    if values.dtype.kind == "f":
        return [f"{value:,.4g}" for value in values]
    return [str(value) for value in values]


def associations(columns: Sequence[Both]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how much each two columns hang together, in real and in generated rows.

    Cramér's V with Bergsma's correction (2013, doi:10.1016/j.jkss.2012.10.002) of columns parted
    into ``_CLASSES`` by the real rows, what is missing a class of its own: 0 not at all, 1 one
    follows from the other.

    Returns:
        shape ``(columns, columns)`` both, the lower triangle filled.
    """
    parted = [_parted(each) for each in columns]
    found = np.zeros((2, len(columns), len(columns)))
    for first, second in itertools.combinations(range(len(columns)), 2):
        for kind in range(2):
            found[kind, second, first] = _cramer(parted[first][kind], parted[second][kind])
    return found[0], found[1]


def _parted(both: Both) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the class of each row, real and generated."""
    values, counts = np.unique(both.real[0][~both.real[1]], return_counts=True)
    named = both.each.column.kind == "category"
    if named or len(values) <= _CLASSES:
        known = np.sort(values[np.argsort(-counts, kind="stable")[: _CLASSES - 1 + (not named)]])
    else:
        shares = np.arange(1, _CLASSES) / _CLASSES
        known = np.unique(values[np.searchsorted(np.cumsum(counts), shares * counts.sum())])
    found = []
    for keys, absent in (both.real, both.made):
        part = np.searchsorted(known, keys)
        part = np.where(np.isin(keys, known), part, len(known)) if named else part
        found.append(np.where(absent, _CLASSES + 1, part))
    return found[0], found[1]


def _cramer(first: NDArray[np.intp], second: NDArray[np.intp]) -> float:
    table = np.zeros((_CLASSES + 2, _CLASSES + 2))
    np.add.at(table, (first, second), 1)
    table = table[table.any(1)][:, table.any(0)]
    rows, columns = table.shape
    n = table.sum()
    if min(rows, columns) < 2 or n < 2:  # noqa: PLR2004
        return 0.0
    even = np.outer(table.sum(1), table.sum(0)) / n
    squared = ((table - even) ** 2 / even).sum() / n
    squared = max(0.0, squared - (rows - 1) * (columns - 1) / (n - 1))
    least = min(each - (each - 1) ** 2 / (n - 1) for each in (rows, columns)) - 1
    return float(min(1.0, np.sqrt(squared / least))) if least > 0 else 0.0


def patterns(columns: Sequence[Both]) -> list[tuple[str, float, float]]:
    """Return which columns are missing together, with shares of real and of generated rows.

    The most frequent first; those of few real rows are one, the last.
    """
    gaps = [each for each in columns if each.each.column.missing]
    if not gaps:
        return []
    shares: list[dict[tuple[int, ...], float]] = []
    for kind in ("real", "made"):
        absent = np.stack([getattr(each, kind)[1] for each in gaps], 1)
        found, counts = np.unique(absent, axis=0, return_counts=True)
        places = [tuple(np.flatnonzero(row).tolist()) for row in found]
        shares.append(dict(zip(places, (counts / len(absent)).tolist(), strict=True)))
    real, made = shares
    known = [key for key, share in real.items() if share * gaps[0].sizes[0] >= FEWEST]
    known = sorted(known, key=lambda key: -real[key])[:_MOST_BARS]
    rows = [
        (" + ".join(gaps[place].each.name for place in key) or "nothing", real[key],
         made.get(key, 0.0))
        for key in known
    ]  # fmt: skip
    rest = [1 - sum(row[kind] for row in rows) for kind in (1, 2)]
    return rows + ([("otherwise", *rest)] if max(rest) > 1e-9 else [])  # noqa: PLR2004
