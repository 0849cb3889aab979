"""How like real rows generated ones are: by column, by pair of columns, in gaps and rare names."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from genkit.evaluation import Figure
from genkit_tabular.features import MOST_NAMES, shuffled
from genkit_tabular.judges.judging import OfRows

_MOST_ROWS = 20_000
_MOST_PAIRS = 1000
_PARTS = 8
"""Parts that a column is cut into for its association with another; what is missing is one more."""
_RARE, _SURE = 0.05, 5
"""A name is rare that at most so many of the real rows have, and at least 5 of them."""
_TOLD = 5

Rows = NDArray[np.float64]


class Fidelity(OfRows):
    """How far columns and pairs of columns of generated rows are distributed as held-out ones.

    By column 1 - the Kolmogorov-Smirnov distance of numbers and dates, 1 - the total variation of
    names and booleans; by pair 1 - the difference of the associations, Cramer's V with Bergsma's
    correction of columns cut into parts; 0 to 1 both, and the mean is given. Then the greatest
    difference of a share of missing values; and how much of their share rare names have, 1 where
    each has as much as it should.

    No interval stands beside them: drawing rows anew only adds distance. The ceiling, the same
    of training rows, shows what chance does; the floor, independent columns, is by column the
    same as the ceiling.
    """

    def compute(self) -> Iterable[Figure]:
        seen = [self.rows(stream) for stream in self.streams]
        size = min(_MOST_ROWS, *map(len, seen))
        made, real, training = (rows[:size] for rows in seen)
        floor = shuffled(training, self.context.seed)
        sets = {"": made, " (ceiling)": training}
        yield from self._figures(
            "column-fidelity", {k: self._columns(v, real) for k, v in sets.items()}
        )
        pairs, of = self._pairs()
        if pairs:
            sets = {"": made, " (floor)": floor, " (ceiling)": training}
            associated = self._associations(real, real, pairs)
            found = {
                suffix: _differences(self._associations(rows, real, pairs), associated)
                for suffix, rows in sets.items()
            }
            yield from self._figures("pair-fidelity", found, pairs=len(pairs), of_pairs=of)
        yield from self._missing(made, real)
        yield from self._rare(made, real, training)

    def _figures(
        self, name: str, found: Mapping[str, Mapping[str, float]], **card: object
    ) -> Iterable[Figure]:
        """Yield the mean of each set; the card names what is worst in it."""
        for suffix, values in found.items():
            mean = float(np.mean(list(values.values())))
            worst = sorted(values.items(), key=lambda each: each[1])[:_TOLD]
            yield self.context.figure(
                name + suffix,
                (mean, mean, mean),
                "max",
                interval="none",
                worst=", ".join(f"{key} {value:.2f}" for key, value in worst),
                **card,
            )

    def _columns(self, rows: Rows, real: Rows) -> dict[str, float]:
        return dict(
            zip(
                [each.name for each in self.judged.learned],
                self.judged.alike(rows, real).tolist(),
                strict=True,
            )
        )

    def _pairs(self) -> tuple[list[tuple[int, int]], int]:
        """Return pairs of columns, a thousand drawn ones where there are more, and how many are."""
        every = list(itertools.combinations(range(len(self.judged.learned)), 2))
        rng = np.random.Generator(np.random.Philox(key=self.context.seed))
        few = np.sort(rng.permutation(len(every))[:_MOST_PAIRS])
        return [every[place] for place in few], len(every)

    def _associations(
        self, rows: Rows, real: Rows, pairs: Sequence[tuple[int, int]]
    ) -> dict[str, float]:
        parts = [
            _parts(rows[:, place], real[:, place], named=bool(named))
            for place, named in enumerate(self.judged.named)
        ]
        names = [each.name for each in self.judged.learned]
        return {f"{names[a]} and {names[b]}": _association(parts[a], parts[b]) for a, b in pairs}

    def _missing(self, made: Rows, real: Rows) -> Iterable[Figure]:
        gaps = [place for place in range(made.shape[1]) if np.isnan(real[:, place]).any()]
        if not gaps:
            return
        shares = np.isnan(made[:, gaps]).mean(0), np.isnan(real[:, gaps]).mean(0)
        apart = np.abs(shares[0] - shares[1])
        worst = int(apart.argmax())
        error = 1.96 * sum((p * (1 - p) / len(made))[worst] for p in shares) ** 0.5
        yield self.context.figure(
            "missing-gap",
            (apart[worst], max(0.0, apart[worst] - error), apart[worst] + error),
            "min",
            interval="95 % normal, of that column",
            column=self.judged.learned[gaps[worst]].name,
            columns=len(gaps),
            missing=float(shares[0][worst]),
            real_missing=float(shares[1][worst]),
        )

    def _rare(self, made: Rows, real: Rows, training: Rows) -> Iterable[Figure]:
        found: dict[str, dict[str, float]] = {"": {}, " (ceiling)": {}}
        for place in np.flatnonzero(self.judged.named):
            each, names = self.judged.learned[place], real[:, place]
            values, counts = np.unique(names[~np.isnan(names)], return_counts=True)
            rare = (counts >= _SURE) & (counts <= _RARE * len(real))
            rare &= values < MOST_NAMES - 1  # behind it they are told apart no more
            for suffix, rows in zip(found, (made, training), strict=True):
                for value, count in zip(values[rare], counts[rare], strict=True):
                    share = min(1.0, float((rows[:, place] == value).sum() / count))
                    found[suffix][f"{each.name}={each.classes[int(value)]}"] = share
        if found[""]:
            yield from self._figures("rare-recall", found, names=len(found[""]))


def _parts(column: Rows, real: Rows, *, named: bool) -> NDArray[np.int64]:
    """Return which part of the real values each value is in: 0 to 7, and 8 for what is missing."""
    known = real[~np.isnan(real)]
    if named:
        values, counts = np.unique(known, return_counts=True)
        usual = values[np.argsort(-counts, kind="stable")[: _PARTS - 1]]
        found = np.full(len(column), _PARTS - 1)
        for number, value in enumerate(usual):
            found[column == value] = number
    else:
        cuts = np.quantile(known, np.arange(1, _PARTS) / _PARTS) if len(known) else []
        found = np.searchsorted(np.unique(cuts), column, side="left")
    return np.where(np.isnan(column), _PARTS, found).astype(np.int64)


def _association(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    """Return Cramer's V with Bergsma's correction (2013, doi:10.1016/j.jkss.2012.10.002)."""
    n = len(first)
    table = np.bincount(first * (_PARTS + 1) + second, minlength=(_PARTS + 1) ** 2)
    table = table.reshape(_PARTS + 1, _PARTS + 1)
    table = table[table.any(1)][:, table.any(0)]
    rows, columns = table.shape
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / n
    square = float(((table - expected) ** 2 / expected).sum()) / n
    square = max(0.0, square - (rows - 1) * (columns - 1) / (n - 1))
    least = min(each - (each - 1) ** 2 / (n - 1) for each in (rows, columns)) - 1
    return min(1.0, (square / least) ** 0.5) if least > 0 else 0.0


def _differences(made: Mapping[str, float], real: Mapping[str, float]) -> dict[str, float]:
    return {pair: 1 - abs(made[pair] - real[pair]) for pair in real}
