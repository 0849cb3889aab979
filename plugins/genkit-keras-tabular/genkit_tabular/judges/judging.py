"""Would a judge tell generated rows from real ones, and are they of use?"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.errors import UsageError
from genkit.evaluation import Batch, Context, Figure
from genkit_tabular.columns import MODALITY, Table
from genkit_tabular.features import Judged, forest
from genkit_tabular.judges.beside import beside
from genkit_tabular.rules import rules_of

_FOLDS, _TREES, DRAWS = 5, 40, 200
_SUSPECTED = 20
"""Columns that are judged alone: those whose values are distributed least alike."""
FEWEST = 50
"""Rows of each kind that a figure needs."""


class OfRows(genkit.Metric):
    """Gathers the rows of all streams as numbers."""

    streams = ("generated", "real", "training")

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.judged = Judged.of(context.schema, context.assets)
        self._seen: dict[str, list[NDArray[np.float64]]] = {name: [] for name in self.streams}

    @classmethod
    def unfit(cls, context: Context) -> str:
        if context.items.modality != MODALITY or "table" not in context.assets:
            return "the data is no table"
        return context.no_training

    def update(self, stream: str, batch: Batch) -> None:
        fields = batch.fields or {self.context.output_fields[0]: batch.items}
        self._seen[stream].append(self.judged.rows(fields))

    def rows(self, stream: str) -> NDArray[np.float64]:
        """Return the rows of a stream, in an order that follows from them and the seed."""
        rows = np.concatenate(self._seen[stream])
        if len(rows) < FEWEST:
            raise UsageError(
                f"Expected {FEWEST} rows or more to judge; received {len(rows)} {stream} ones.",
                "Generate more: --n",
            )
        rows = rows[np.lexsort(rows.T)]
        place = self.streams.index(stream)
        rng = np.random.Generator(np.random.Philox(key=self.context.seed + 7919 * place))
        return rows[rng.permutation(len(rows))]


class TwoSample(OfRows):
    """How far a gradient boosting of trees can tell generated from held-out rows.

    ``2 (1 - AUC)`` of a classifier two-sample test (Lopez-Paz and Oquab 2017, arXiv:1610.06545)
    over five folds: 1 where it can't, 0 where it always can. Beside it stand the floor, training
    rows whose columns are shuffled; the ceiling, training rows as they are; and rows of
    ``tab-cart``. Then the column that betrays the rows most: the same figure of that column alone,
    of the 20 whose values are distributed least alike.
    """

    def compute(self) -> Iterable[Figure]:
        made, real, training = map(self.rows, self.streams)
        size = min(len(made), len(real), len(training))
        seed, named = self.context.seed, self.judged.named
        for suffix, (rows, of) in beside(self.context, self.judged, made, training).items():
            scores, labels = judged_apart(rows[:size], real[:size], named, seed)
            yield self.context.figure(
                f"two-sample{suffix}",
                with_interval(indistinguishable, labels, scores, seed),
                "max",
                interval=f"95 % bootstrap, {DRAWS} draws",
                rows=size,
                trees=_TREES,
                folds=_FOLDS,
                of=of,
            )
        yield self._worst_column(made[:size], real[:size])

    def _worst_column(self, made: NDArray[np.float64], real: NDArray[np.float64]) -> Figure:
        """Return the figure of the one column that betrays the rows most."""
        alone, named = [], self.judged.named
        suspected = np.argsort(self.judged.alike(made, real), kind="stable")[:_SUSPECTED]
        for place in suspected.tolist():
            column = slice(place, place + 1)
            scores, labels = judged_apart(
                made[:, column], real[:, column], named[column], self.context.seed
            )
            alone.append((indistinguishable(labels, scores), self.judged.learned[place].name))
        worst, name = min(alone)
        return self.context.figure(
            "worst-column",
            (worst, worst, worst),
            "max",
            interval="none",
            column=name,
            worst=", ".join(f"{name} {value:.2f}" for value, name in sorted(alone)[:3]),
            judged=len(alone),
            of_columns=len(named),
        )


class BrokenRules(genkit.Metric):
    """The share of generated rows that break a rule of the table; that of real ones on the card."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        judged = Judged.of(context.schema, context.assets)
        self._rules = rules_of(judged.table.rules, judged.learned, context.assets)
        self._seen = {stream: [0, 0] for stream in self.streams}

    @classmethod
    def unfit(cls, context: Context) -> str:
        if "table" not in context.assets:
            return "the data is no table"
        return "" if Table.of_assets(context.assets).rules else "the table has no rules"

    def update(self, stream: str, batch: Batch) -> None:
        wrong = np.any(list(self._rules.broken(batch.fields).values()), axis=0)
        self._seen[stream][0] += int(wrong.sum())
        self._seen[stream][1] += len(wrong)

    def compute(self) -> Iterable[Figure]:
        share = {stream: wrong / max(1, of) for stream, (wrong, of) in self._seen.items()}
        wrong, of = self._seen["generated"]
        deviation = 1.96 * (share["generated"] * (1 - share["generated"]) / max(1, of)) ** 0.5
        ends = max(0.0, share["generated"] - deviation), share["generated"] + deviation
        yield self.context.figure(
            "broken-rules",
            (share["generated"], *ends),
            "min",
            interval="95 % normal",
            rows=of,
            broken=wrong,
            real=share["real"],
        )


class Usefulness(OfRows):
    """How well a gradient boosting that learned from generated rows foretells real ones' target.

    Train on synthetic, test on real (Esteban, Hyland and Rätsch 2017, arXiv:1706.02633): the area
    under the curve, the mean over classes, and macro-F1. Beside them stand the floor, learned from
    training rows whose columns are shuffled; the ceiling, from training rows as they are; and those
    learned from rows of ``tab-cart``.
    """

    @classmethod
    def unfit(cls, context: Context) -> str:
        if reason := super().unfit(context):
            return reason
        judged = Judged.of(context.schema, context.assets)
        if judged.target is None:
            return "no target: --data target=COLUMN when it is trained"
        column = judged.learned[judged.target].column
        return "" if column.is_named or column.kind == "boolean" else "the target is no category"

    def compute(self) -> Iterable[Figure]:
        made, real, training = map(self.rows, self.streams)
        for suffix, (rows, of) in beside(self.context, self.judged, made, training).items():
            labels, chances, classes = foretold(self.judged, rows, real, self.context.seed)
            for name, measure in (("tstr-auc", auc), ("tstr-f1", macro_f1)):
                of_classes = partial(measure, classes)
                found = with_interval(of_classes, labels, chances, self.context.seed)
                yield self.context.figure(
                    name + suffix,
                    found,
                    "max",
                    interval=f"95 % bootstrap, {DRAWS} draws",
                    target=self.judged.table.target,
                    learned_from=len(rows),
                    tested_on=len(labels),
                    of=of,
                )


def foretold(
    judged: Judged, rows: NDArray[np.float64], real: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return what a judge that learned from rows foretells of real ones.

    Args:
        judged: the columns, the target among them.
        rows: to learn from, as numbers.
        real: to be foretold; those without a target are left out.
        seed: of the judge.

    Returns:
        the real rows' classes, the probabilities that are foretold, and the classes.
    """
    target = judged.target
    assert target is not None, "unfit() refuses a table without a target"
    others = np.delete(np.arange(rows.shape[1]), target)
    rows, real = rows[~np.isnan(rows[:, target])], real[~np.isnan(real[:, target])]
    classes = np.unique(real[:, target])
    known = np.unique(rows[:, target])
    if len(known) == 1:  # nothing to learn: one class alone
        chances = np.tile((classes == known[0]).astype(np.float64), (len(real), 1))
        return real[:, target], chances, classes
    learner = forest(judged.named[others], seed=seed)
    learner.fit(rows[:, others], rows[:, target])
    return real[:, target], chances_of(learner, real[:, others], classes), classes


def chances_of(
    learner: Any, rows: NDArray[np.float64], classes: NDArray[Any]
) -> NDArray[np.float64]:
    """Return the probabilities that trees foretell, 0 for a class that they never saw.

    Args:
        learner: the trees.
        rows: what they foretell from.
        classes: of which, shape ``(classes,)``.

    Returns:
        of shape ``(rows, classes)``.
    """
    chances, found = np.zeros((len(rows), len(classes))), learner.predict_proba(rows)
    for place, each in enumerate(learner.classes_):
        chances[:, classes == each] = found[:, place : place + 1]
    return chances


def judged_apart(
    made: NDArray[np.float64], real: NDArray[np.float64], named: NDArray[np.bool_], seed: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return how real a judge that didn't see it holds each row, and which are real.

    Args:
        made: generated rows, as numbers.
        real: held-out rows.
        named: which columns are names.
        seed: of the folds.
    """
    rows = np.concatenate([made, real])
    labels = np.repeat([0, 1], [len(made), len(real)])
    fold = np.random.Generator(np.random.Philox(key=seed)).permutation(len(rows)) % _FOLDS
    scores = np.zeros(len(rows))
    for each in range(_FOLDS):
        judge = forest(named, _TREES, seed)
        judge.fit(rows[fold != each], labels[fold != each])
        scores[fold == each] = judge.predict_proba(rows[fold == each])[:, 1]
    return scores, labels


def indistinguishable(labels: NDArray[Any], scores: NDArray[np.float64]) -> float:
    """Return ``2 (1 - AUC)`` of a judge's scores; 1 for one that is worse than none."""
    return 2 * (1 - max(_area(labels == 1, scores), 0.5))


def auc(classes: NDArray[Any], labels: NDArray[Any], chances: NDArray[np.float64]) -> float:
    """Return the area under the curve, the mean over the classes that are there and not alone."""
    found = [
        _area(labels == each, chances[:, place])
        for place, each in enumerate(classes)
        if 0 < (labels == each).sum() < len(labels)
    ]
    return float(np.mean(found))


def macro_f1(classes: NDArray[Any], labels: NDArray[Any], chances: NDArray[np.float64]) -> float:
    """Return the mean of F1 over the classes that are there or foretold."""
    said, found = classes[chances.argmax(1)], []
    for each in classes:
        right = ((said == each) & (labels == each)).sum()
        either = (said == each).sum() + (labels == each).sum()
        found += [2 * right / either] if either else []
    return float(np.mean(found))


def _area(is_one: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the area under the curve of scores, by their ranks: a tie is half right."""
    from scipy.stats import rankdata

    ones, others = is_one.sum(), (~is_one).sum()
    ranks = rankdata(scores)[is_one].sum() - ones * (ones + 1) / 2
    return float(ranks / (ones * others))


def with_interval(
    measure: Callable[..., float], labels: NDArray[Any], scores: NDArray[np.float64], seed: int
) -> tuple[float, float, float]:
    """Return a figure with its interval over bootstrap draws of the rows that are judged."""
    rng, drawn = np.random.Generator(np.random.Philox(key=seed)), []
    for _ in range(DRAWS):
        rows = rng.integers(0, len(labels), len(labels))
        if len(np.unique(labels[rows])) > 1:
            drawn.append(measure(labels[rows], scores[rows]))
    low, high = np.quantile(drawn, [0.025, 0.975]) if drawn else (0.0, 1.0)
    return measure(labels, scores), float(low), float(high)
