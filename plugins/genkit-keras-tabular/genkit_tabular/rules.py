"""What holds for every row of a table: counted in real rows, kept in generated ones.

``order = ["start", "end"]``: a value is never above that of the next column. ``together = ["city",
"country"]``: only combinations that the rows to learn from have. A row with a gap in one of the
columns breaks no rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError, UsageError
from genkit_tabular.encoded import keys_and_absent
from genkit_tabular.keys import values_of

if TYPE_CHECKING:
    from genkit_tabular.learned import Learned

ORDER, TOGETHER = "order", "together"
_TURNS = 50
"""How often rows that break a rule are drawn anew."""

_COMPARED = ("number", "datetime", "duration", "ordered")


def check_rules(rules: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """Refuse rules that can't be understood.

    Raises:
        DataError: with the rule.
    """
    for rule in rules:
        (kind, names), *more = rule.items() if isinstance(rule, Mapping) else (("", ()),)
        known = isinstance(names, list) and len(names) > 1 and set(names) <= set(columns)
        if more or kind not in (ORDER, TOGETHER) or not known:
            raise DataError(
                f"Expected rules such as order = ['start', 'end'] and together = ['city', "
                f"'country'], of two columns or more of the table; received {rule}."
            )


class Rules:
    """The rules of a table.

    Args:
        rules: what ``check_rules`` lets through.
        learned: the columns that models learn.
        combinations: of each rule of columns that go together, which of their keys do, by the
            rule's place; int64 of shape ``(combinations, columns)``.

    Raises:
        DataError: a column of a rule is not learned, or its values have no order.
    """

    def __init__(
        self,
        rules: Sequence[Mapping[str, Any]],
        learned: Sequence[Learned],
        combinations: Mapping[int, NDArray[np.int64]],
    ) -> None:
        by_name = {each.name: each for each in learned}
        self._rules: list[tuple[str, list[Learned]]] = []
        for rule in rules:
            ((kind, names),) = rule.items()
            wrong = [
                name
                for name in names
                if name not in by_name
                or (kind == ORDER and by_name[name].column.kind not in _COMPARED)
            ]
            if wrong:
                what = "numbers or dates" if kind == ORDER else "a column that is learned"
                raise DataError(
                    f"Expected {what} in the rule {kind} = {names}; {wrong[0]!r} isn't."
                )
            self._rules.append((kind, [by_name[name] for name in names]))
        self._combinations = combinations

    def __bool__(self) -> bool:
        return bool(self._rules)

    def broken(self, items: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
        """Return which rows break each rule, by the rule as people write it.

        Args:
            items: by field, as data has them or a model presents them.
        """
        found = {}
        for place, (kind, columns) in enumerate(self._rules):
            pairs = [keys_and_absent(dict(items), each) for each in columns]
            there = ~np.any([absent for _, absent in pairs], axis=0)
            keys = [keys for keys, _ in pairs]
            if kind == ORDER:
                values = [_compared(each, k) for each, k in zip(columns, keys, strict=True)]
                wrong = np.any([low > high for low, high in pairwise(values)], axis=0)
            else:
                known = {row.tobytes() for row in self._combinations[place]}
                wrong = np.array([row.tobytes() not in known for row in np.stack(keys, 1)], bool)
            names = ", ".join(each.name for each in columns)
            found[f"{kind} = {names}"] = wrong & there
        return found

    def kept(
        self,
        batches: Iterator[dict[str, np.ndarray]],
        again: Callable[[int, int], Iterator[dict[str, np.ndarray]]],
        begin: int,
    ) -> Iterator[dict[str, np.ndarray]]:
        """Put others in the places of rows that break a rule.

        Args:
            batches: rows, from ``begin`` on.
            again: makes rows from a place on, others at each turn.
            begin: number of the first row.

        Raises:
            UsageError: some rows break a rule at every turn.
        """
        for batch in batches:
            count, turn = len(next(iter(batch.values()))), 0
            while (wrong := self._any(batch)).any():
                turn += 1
                if turn > _TURNS:
                    rule = max(self.broken(batch).items(), key=lambda each: each[1].sum())[0]
                    raise UsageError(
                        f"Expected rows that keep the rule {rule}; {int(wrong.sum())} of {count} "
                        f"broke it in {_TURNS} turns: with what is asked, its estimated "
                        f"probability is below {1 / _TURNS:g}."
                    )
                batch = _mixed(batch, next(again(turn, begin)), wrong)  # noqa: PLW2901
            yield batch
            begin += count

    def _any(self, items: Mapping[str, Any]) -> NDArray[np.bool_]:
        return np.any(list(self.broken(items).values()), axis=0)


def combinations_of(
    rules: Sequence[Mapping[str, Any]], keys: Mapping[str, tuple[NDArray[Any], NDArray[np.bool_]]]
) -> dict[str, NDArray[np.int64]]:
    """Return the assets of rules of columns that go together: the combinations there are.

    Args:
        rules: of the table.
        keys: keys of the rows to learn from, and which are missing, by column.
    """
    assets = {}
    for place, rule in enumerate(rules):
        ((kind, names),) = rule.items()
        if kind == TOGETHER and set(names) <= set(keys):
            there = ~np.any([keys[name][1] for name in names], axis=0)
            rows = np.stack([keys[name][0][there] for name in names], axis=1)
            assets[f"rule.{place}"] = np.unique(rows.astype(np.int64), axis=0)
    return assets


def rules_of(
    rules: Sequence[Mapping[str, Any]],
    learned: Sequence[Learned],
    assets: Mapping[str, NDArray[Any]],
) -> Rules:
    """Read the rules of a table with what they need of its assets.

    Raises:
        DataError: as ``Rules``; or the assets are damaged.
    """
    combinations = {}
    for place, rule in enumerate(rules):
        ((kind, names),) = rule.items()
        if kind != TOGETHER:
            continue
        held = np.asarray(assets.get(f"rule.{place}", np.zeros((0, len(names)), np.int64)))
        if held.ndim != 2 or held.shape[1] != len(names):  # noqa: PLR2004
            raise DataError("Expected the combinations of a rule in the assets; they are damaged.")
        combinations[place] = held.astype(np.int64)
    return Rules(rules, learned, combinations)


def _compared(each: Learned, keys: NDArray[np.int64]) -> NDArray[Any]:
    """Return values that compare as they should: dates as instants, whatever their zone."""
    values = values_of(each.column, keys)
    if values.dtype.kind in "mM":
        return values.astype(f"{values.dtype.str[1]}8[us]").astype(np.int64)
    return values


def _mixed(
    first: dict[str, np.ndarray], second: dict[str, np.ndarray], which: NDArray[np.bool_]
) -> dict[str, np.ndarray]:
    mixed = {}
    for name, array in first.items():
        mixed[name] = array.copy()
        mixed[name][which] = second[name][: len(which)][which]
    return mixed
