"""Rows as a judge sees them: numbers and numbers of names, with gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.data import vocabulary_of
from genkit_tabular.codec import codecs_of
from genkit_tabular.columns import Table
from genkit_tabular.encoded import keys_and_absent
from genkit_tabular.keys import floats
from genkit_tabular.learned import Learned

MOST_NAMES = 254
"""Names that a tree of scikit-learn tells apart; the rarer ones are one to it."""


@dataclass(frozen=True)
class Judged:
    """The columns that a judge looks at.

    Args:
        table: what is known of the table.
        learned: its columns but ids.
    """

    table: Table
    learned: tuple[Learned, ...]

    @classmethod
    def of(cls, schema: genkit.Schema, assets: Mapping[str, np.ndarray]) -> Judged:
        """Read them from the assets of a source.

        Raises:
            DataError: the data is no table.
        """
        table = Table.of_assets(assets)
        codecs = codecs_of(assets, table.columns)
        return cls(
            table,
            tuple(
                Learned(column, codec, vocabulary_of(schema, column.name, assets))
                for column, codec in zip(table.columns, codecs, strict=True)
                if codec is not None
            ),
        )

    @property
    def named(self) -> NDArray[np.bool_]:
        """Which columns are names, of which no order counts."""
        return np.array([each.column.is_named for each in self.learned], bool)

    @property
    def equal(self) -> NDArray[np.bool_]:
        """Of which columns only equality counts: names without an order, and booleans."""
        kinds = ("category", "boolean")
        return np.array([each.column.kind in kinds for each in self.learned], bool)

    @property
    def target(self) -> int | None:
        """The place of the column that is to be foretold; None without one."""
        names = [each.name for each in self.learned]
        return names.index(self.table.target) if self.table.target else None

    def alike(self, made: NDArray[np.float64], real: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how alike the values of each column are distributed, shape ``(columns,)``.

        Args:
            made: generated rows, as ``rows`` gives them.
            real: real ones.

        Returns:
            1 - the Kolmogorov-Smirnov distance of numbers and dates, 1 - the total variation of
            names and booleans: 1 for the same, 0 for nothing in common.
        """
        return np.array(
            [
                _alike(
                    made[:, place],
                    real[:, place],
                    named=each.column.is_named or each.column.kind == "boolean",
                )
                for place, each in enumerate(self.learned)
            ]
        )

    def rows(self, fields: Mapping[str, Any]) -> NDArray[np.float64]:
        """Return items as numbers, NaN where a value is missing, shape ``(n, columns)``.

        Args:
            fields: items by field, as data has them or a model presents them.
        """
        return self.numbers(*self.keys(fields))

    def keys(self, fields: Mapping[str, Any]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return the keys of items, and which values are missing, shape ``(n, columns)`` each."""
        found = [keys_and_absent(dict(fields), each) for each in self.learned]
        keys, absent = zip(*found, strict=True)
        return np.stack(keys, 1), np.stack(absent, 1)

    def numbers(self, keys: NDArray[np.int64], absent: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return what ``rows`` returns, of items whose keys are known."""
        columns = []
        for place, each in enumerate(self.learned):
            own = keys[:, place]
            numbers = floats(own) if each.column.is_float else own.astype(np.float64)
            if each.column.is_named:
                numbers = np.minimum(numbers, MOST_NAMES - 1)
            columns.append(np.where(absent[:, place], np.nan, numbers))
        return np.stack(columns, axis=1)


def _alike(made: NDArray[np.float64], real: NDArray[np.float64], *, named: bool) -> float:
    """Return 1 - the distance of two columns; of what is missing in both there is none."""
    made, real = made[~np.isnan(made)], real[~np.isnan(real)]
    if not len(made) or not len(real):
        return float(len(made) == len(real))
    values = np.unique(np.concatenate([made, real]))
    sums = [
        np.searchsorted(np.sort(column), values, side="right") / len(column)
        for column in (made, real)
    ]
    if named:
        shares = [np.diff(each, prepend=0.0) for each in sums]
        return float(1 - np.abs(shares[0] - shares[1]).sum() / 2)
    return float(1 - np.abs(sums[0] - sums[1]).max())


def shuffled(rows: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Return rows whose columns hang together no more: each in an order of its own."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    return np.stack([rng.permutation(column) for column in rows.T], axis=1)


def forest(named: NDArray[np.bool_], trees: int = 100, seed: int = 0, leaf: int = 20) -> Any:
    """Return an untrained gradient boosting of trees, scikit-learn's by histograms.

    Args:
        named: which columns are names.
        trees: how many.
        seed: of everything random.
        leaf: rows that a leaf has at least.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    places: Sequence[int] = np.flatnonzero(named).tolist()
    return HistGradientBoostingClassifier(
        max_iter=trees,
        categorical_features=list(places) or None,
        min_samples_leaf=leaf,
        random_state=seed,
    )
