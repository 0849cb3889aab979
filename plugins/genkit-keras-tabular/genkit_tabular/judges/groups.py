"""Whether generated rows are of as much use to one group of people as to another."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genkit.evaluation import Context, Figure
from genkit_tabular.columns import Table
from genkit_tabular.features import Judged
from genkit_tabular.judges.judging import (
    DRAWS,
    FEWEST,
    Usefulness,
    auc,
    foretold,
    macro_f1,
    with_interval,
)

_MOST = 10
_MEASURES = {"group-auc": auc, "group-f1": macro_f1}
_REAL = " (ceiling)"


class UsefulnessByGroup(Usefulness):
    """How well trees that learned from generated rows foretell real ones, group by group.

    A group is what a row has in the column ``group`` of the data, a category or a boolean. Of each
    there are AUC and macro-F1 as of ``usefulness``, and how far the share of the rarest class of
    the target is off; then the gap of each between the groups that have it best and worst. Beside
    them stand the same learned from training rows, and the real gap. A group of fewer than 50 test
    rows has its figures, with ``n`` on the card, but no part in a gap.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        names = [each.name for each in self.judged.learned]
        self.group = names.index(_group(context))

    @classmethod
    def unfit(cls, context: Context) -> str:
        if reason := super().unfit(context):
            return reason
        if not (name := _group(context)):
            return "no group: --data group=COLUMN"
        judged = Judged.of(context.schema, context.assets)
        found = [each.column for each in judged.learned if each.name == name]
        if not found or not (found[0].is_named or found[0].kind == "boolean"):
            return "the group is no category that the model learned"
        return "the group is the target" if name == judged.table.target else ""

    def compute(self) -> Iterable[Figure]:
        made, real, training = map(self.rows, self.streams)
        real = real[~np.isnan(real[:, self.judged.target])]
        groups, counts = np.unique(real[:, self.group], return_counts=True, equal_nan=True)
        chosen = np.sort(np.argsort(-counts, kind="stable")[:_MOST])
        yield from self._of_use(made, real, training, groups[chosen])
        yield from self._shares(made, real, groups[chosen])

    def _of_use(
        self, made: Any, real: Any, training: Any, groups: NDArray[np.float64]
    ) -> Iterable[Figure]:
        """Yield AUC and F1 of each group, learned from generated and from training rows."""
        seed = self.context.seed
        for suffix, rows in (("", made), (_REAL, training)):
            labels, chances, classes = foretold(self.judged, rows, real, seed)
            for name, measure in _MEASURES.items():
                found: dict[str, tuple[float, int]] = {}
                for group in groups:
                    mine = _in(real[:, self.group], group)
                    if len(np.unique(labels[mine])) < 2:  # noqa: PLR2004 - nothing to tell apart
                        found[self._words(group)] = float("nan"), int(mine.sum())
                        continue
                    interval = with_interval(
                        partial(measure, classes), labels[mine], chances[mine], seed
                    )
                    found[self._words(group)] = interval[0], int(mine.sum())
                    yield self.context.figure(
                        f"{name} ({self._words(group)}){suffix}",
                        interval,
                        "max",
                        interval=f"95 % bootstrap, {DRAWS} draws",
                        n=int(mine.sum()),
                        target=self.judged.table.target,
                    )
                yield from self._gap(f"{name}-gap{suffix}", found)

    def _shares(self, made: Any, real: Any, groups: NDArray[np.float64]) -> Iterable[Figure]:
        """Yield how far each group's share of the rarest class is off, and the gap of shares."""
        target = self.judged.target
        classes, counts = np.unique(real[:, target], return_counts=True)
        rarest = classes[counts.argmin()]
        shares: dict[str, dict[str, tuple[float, int]]] = {"": {}, _REAL: {}}
        for group in groups:
            words = self._words(group)
            share = []
            for suffix, rows in (("", made), (_REAL, real)):
                mine = rows[_in(rows[:, self.group], group), target]
                n = int(_in(real[:, self.group], group).sum())
                share.append((float((mine == rarest).mean()) if len(mine) else np.nan, len(mine)))
                shares[suffix][words] = share[-1][0], n
            (of_made, n_made), (of_real, n_real) = share
            off = abs(of_made - of_real)
            error = 1.96 * sum(p * (1 - p) / max(1, n) for p, n in share) ** 0.5
            if n_made:
                yield self.context.figure(
                    f"group-rate-error ({words})",
                    (off, max(0.0, off - error), off + error),
                    "min",
                    interval="95 % normal",
                    n=n_real,
                    share=of_made,
                    real_share=of_real,
                    share_of_rows=n_made / len(made),
                    real_share_of_rows=n_real / len(real),
                )
        for suffix, found in shares.items():
            yield from self._gap(f"group-rate-gap{suffix}", found)

    def _gap(self, name: str, found: dict[str, tuple[float, int]]) -> Iterable[Figure]:
        """Yield the gap between the best and the worst group of those that are large enough."""
        large = {k: value for k, (value, n) in found.items() if n >= FEWEST and not np.isnan(value)}
        others = {k: n for k, (_, n) in found.items() if k not in large}
        if len(large) < 2:  # noqa: PLR2004
            return
        gap = max(large.values()) - min(large.values())
        yield self.context.figure(
            name, (gap, gap, gap), "min", interval="none", groups=large, left_out=others
        )

    def _words(self, group: float) -> str:
        each = self.judged.learned[self.group]
        if np.isnan(group):
            return f"{each.name} missing"
        value = each.classes[int(group)] if each.column.is_named else str(bool(group)).lower()
        return f"{each.name}={value}"


def _in(column: NDArray[np.float64], group: float) -> NDArray[np.bool_]:
    return np.isnan(column) if np.isnan(group) else column == group


def _group(context: Context) -> str:
    """Return the column that the data is asked to be judged by, when trained or when evaluated."""
    assets = {} if context.real is None else context.real.assets
    return Table.of_assets(assets).group if "table" in assets else ""
