"""What holds for every row of a table: counted in real rows, kept in generated ones.

``order = ["start", "end"]``: a value is never above that of the next column. ``together = ["city",
"country"]``: only combinations that the rows to learn from have. ``computed = "total"``, ``sum =
["net", "tax"]``: what follows from other columns. ``predicate = "debt <= 0.5 * income"``: what is
compared. The format of an id is a rule of its column. A row with a gap in one of the columns breaks
no rule.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genkit.errors import DataError, UsageError
from genkit_tabular.columns import KINDS
from genkit_tabular.computing import Computed, told_of
from genkit_tabular.encoded import keys_and_absent
from genkit_tabular.ids import of_another_form
from genkit_tabular.keys import values_of
from genkit_tabular.predicates import Predicate
from genkit_tabular.rule_forms import COMPUTED, FORMAT, ORDER, PREDICATE, TOGETHER, kind_of

if TYPE_CHECKING:
    from genkit_tabular.learned import Learned

_TURNS = 50
"""How often rows that break a rule are drawn anew."""

_COMPARED = ("number", "datetime", "duration", "ordered")

_Broken = Callable[[Mapping[str, Any]], "NDArray[np.bool_]"]


class Rules:
    """The rules of a table.

    Args:
        rules: what ``check_rules`` lets through.
        learned: the columns that models learn.
        combinations: of each rule of columns that go together, which of their keys do, by the
            rule's place; int64 of shape ``(combinations, columns)``.

    Attributes:
        computed: columns that follow from others, those from which others follow first.

    Raises:
        DataError: a column of a rule is not learned, or its values have no order.
    """

    def __init__(
        self,
        rules: Sequence[Mapping[str, Any]],
        learned: Sequence[Learned],
        combinations: Mapping[int, NDArray[np.int64]],
    ) -> None:
        self._learned = {each.name: each for each in learned}
        self._rules: dict[str, _Broken] = {}
        self._of_keys: dict[str, _Broken] = {}  # made so, never drawn anew
        self.computed: list[Computed] = []
        for place, rule in enumerate(rules):
            known = combinations.get(place, np.zeros((0, 0), np.int64))
            if kind_of(rule) == FORMAT:
                name, pattern = str(rule[FORMAT]), str(rule["pattern"])
                self._of_keys[f"{FORMAT} of {name}"] = partial(of_another_form, name, pattern)
            else:
                self._rules[told_of(rule)] = self._broken_by(rule, known)

    def _broken_by(self, rule: Mapping[str, Any], combinations: NDArray[np.int64]) -> _Broken:
        """Return what tells which rows break a rule."""
        kind = kind_of(rule)
        if kind == COMPUTED:
            self.computed.append(Computed.of(rule, self._learned))
            return self.computed[-1].broken
        if kind == PREDICATE:
            predicate = Predicate.parse(rule[kind])
            self._columns(rule, predicate.names, ("number", "boolean"), "numbers")
            return partial(predicate.broken, learned=self._learned)
        if kind == ORDER:
            columns = self._columns(rule, rule[kind], _COMPARED, "numbers or dates")
            return partial(_out_of_order, columns)
        columns = self._columns(rule, rule[kind], KINDS, "a column that is learned")
        return partial(_apart, columns, {row.tobytes() for row in combinations})

    def _columns(
        self, rule: Mapping[str, Any], names: Sequence[str], kinds: Sequence[str], what: str
    ) -> list[Learned]:
        known = self._learned
        if wrong := [n for n in names if n not in known or known[n].column.kind not in kinds]:
            raise DataError(f"Expected {what} in the rule {told_of(rule)}; {wrong[0]!r} isn't.")
        return [known[name] for name in names]

    def __bool__(self) -> bool:
        return bool(self._rules or self._of_keys)

    def broken(self, items: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
        """Return which rows break each rule, by the rule as people write it.

        Args:
            items: by field, as data has them or a model presents them.
        """
        return self._drawn_broken(items) | {
            told: broken(items) for told, broken in self._of_keys.items()
        }

    def _drawn_broken(self, items: Mapping[str, Any]) -> dict[str, NDArray[np.bool_]]:
        return {told: broken(items) for told, broken in self._rules.items()}

    def completed(
        self, items: Mapping[str, Any], holes: Mapping[str, NDArray[np.bool_]] | None = None
    ) -> dict[str, Any]:
        """Return items with what follows from other columns in its place.

        Args:
            items: by field, as a model presents them.
            holes: which values may change, by column; all when left out.

        Raises:
            DataError: a number is larger than its column can hold.
        """
        made = dict(items)
        for each in self.computed:
            made = each.put(made, None if holes is None else holes[each.column.name])
        return made

    def kept(
        self,
        batches: Iterator[dict[str, np.ndarray]],
        again: Callable[[int, int], Iterator[dict[str, np.ndarray]]],
        begin: int,
        told: Callable[[str, int, float], None],
    ) -> Iterator[dict[str, np.ndarray]]:
        """Put others in the places of rows that break a rule.

        Args:
            batches: rows, from ``begin`` on.
            again: makes rows from a place on, others at each turn.
            begin: number of the first row.
            told: called where some rows break a rule at every turn: ``refuse_broken``, or
                ``tell_broken`` of rows that are filled.
        """
        for batch in batches:
            broken = first = self._drawn_broken(batch)
            for turn in range(1, _TURNS + 1):
                if not (wrong := self._any(broken, batch)).any():
                    break
                batch = _mixed(batch, next(again(turn, begin)), wrong)  # noqa: PLW2901
                broken = self._drawn_broken(batch)
            if self._any(broken, batch).any():
                told(*_worst(first, broken))
            yield batch
            begin += len(next(iter(batch.values())))

    @staticmethod
    def _any(
        broken: Mapping[str, NDArray[np.bool_]], items: Mapping[str, Any]
    ) -> NDArray[np.bool_]:
        none = np.zeros(len(next(iter(items.values()))), bool)
        return np.any([none, *broken.values()], axis=0)


def refuse_broken(rule: str, rows: int, share: float) -> None:
    """Tell of rows that can't be drawn as a rule wants them.

    Args:
        rule: as people write it.
        rows: how many break it at every turn.
        share: of the rows drawn first that break it.

    Raises:
        UsageError: always.
    """
    raise UsageError(
        f"Expected rows that keep the rule {rule}; {share:.1%} of the rows drawn break it, and "
        f"{rows} did in {_TURNS} turns: with what is asked, its estimated probability is below "
        f"{1 / _TURNS:g}."
    )


def tell_broken(rule: str, rows: int, share: float) -> None:  # noqa: ARG001
    """Warn of rows that break a rule by what they have, whatever fills their gaps."""
    warnings.warn(
        f"{rows:,} rows break the rule {rule} by what they have, whatever fills their gaps.",
        stacklevel=2,
    )


def _worst(
    first: Mapping[str, NDArray[np.bool_]], broken: Mapping[str, NDArray[np.bool_]]
) -> tuple[str, int, float]:
    """Return the rule that most rows break, how many do, and the share that did at first."""
    rule = max(broken, key=lambda each: int(broken[each].sum()))
    return rule, int(broken[rule].sum()), float(first[rule].mean())


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
        names = rule.get(TOGETHER, ())
        if names and set(names) <= set(keys):
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
        if TOGETHER not in rule:
            continue
        names = rule[TOGETHER]
        held = np.asarray(assets.get(f"rule.{place}", np.zeros((0, len(names)), np.int64)))
        if held.ndim != 2 or held.shape[1] != len(names):  # noqa: PLR2004
            raise DataError("Expected the combinations of a rule in the assets; they are damaged.")
        combinations[place] = held.astype(np.int64)
    return Rules(rules, learned, combinations)


def _out_of_order(columns: Sequence[Learned], items: Mapping[str, Any]) -> NDArray[np.bool_]:
    pairs = [keys_and_absent(dict(items), each) for each in columns]
    there = ~np.any([absent for _, absent in pairs], axis=0)
    values = [_compared(each, keys) for each, (keys, _) in zip(columns, pairs, strict=True)]
    return there & np.any([low > high for low, high in pairwise(values)], axis=0)


def _apart(
    columns: Sequence[Learned], known: set[bytes], items: Mapping[str, Any]
) -> NDArray[np.bool_]:
    pairs = [keys_and_absent(dict(items), each) for each in columns]
    there = ~np.any([absent for _, absent in pairs], axis=0)
    rows = np.stack([keys for keys, _ in pairs], 1)
    return there & np.array([row.tobytes() not in known for row in rows], bool)


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
