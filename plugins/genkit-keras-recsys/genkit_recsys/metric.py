"""The metric ``ranking``: figures of a recommender, each with its protocol on its card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

import genkit
from genkit.evaluation import Batch, Context, Figure, bootstrap_interval, mean_interval
from genkit_recsys.evaluating import Measured, measure
from genkit_recsys.measures import DEFINITIONS, LIST, coverage_error, gini, gini_error
from genkit_recsys.ranking import TIE_RULE
from genkit_recsys.source import InteractionSource

_OVER_USERS = "95 % t interval over users"
_BOOTSTRAP = "95 % percentile bootstrap over users"
_GROUPED = ("recall@10", "ndcg@10")
_THIRDS = ("low", "middle", "high")
_NORMAL = 1.959964
_GROUPS = {
    "activity": "length of the history",
    "taste": "mean popularity of the history's items",
}
_OTHERS = {
    "novelty": "mean of -log2 of the share of training users that have the item",
    "diversity": "1 minus the mean cosine of pairs, by who has both in training",
}


class Ranking(genkit.Metric):
    """Measures rankings of all items; nothing is sampled.

    The held-out interactions are read from the source itself, where they are sparse.
    """

    streams: ClassVar[tuple[str, ...]] = ("real",)

    @classmethod
    def unfit(cls, context: Context) -> str:
        """Return why it can't measure this: no recommender, or nothing held out."""
        if context.model is None or "recommend" not in context.model.capabilities:
            return "the model doesn't recommend"
        if not isinstance(context.real, InteractionSource):
            return "the data is no data set of interactions"
        if context.real.given is None:
            return "it needs events to guess: --split test or --split validation"
        return ""

    def update(self, stream: str, batch: Batch) -> None:
        """Leave the batches aside."""

    def compute(self) -> Iterator[Figure]:
        """Rank, and give the figures."""
        model: Any = self.context.model
        source: Any = self.context.real
        yield from figures_of(self.context, measure(model, source), source)


def figures_of(context: Context, measured: Measured, source: InteractionSource) -> Iterator[Figure]:
    """Yield the figures of what was measured."""
    card = protocol_card(source)
    for name, values in measured.values.items():
        kind = name.split("@")[0]
        about = {**card, "definition": {**DEFINITIONS, **_OTHERS}[kind]}
        yield context.figure(name, mean_interval(values), "max", **about, interval=_OVER_USERS)
    yield from _of_lists(context, measured.lists, source.histories.n_items, card)
    for by, groups in (("activity", measured.activity), ("taste", measured.taste)):
        for name in _GROUPED:
            about = {**card, "grouped_by": f"thirds of the users by {_GROUPS[by]}"}
            yield from _of_groups(context, f"{name}/{by}", measured.values[name], groups, about)


def protocol_card(source: InteractionSource) -> dict[str, Any]:
    """Return all about how a recommender is measured that changes its figures."""
    return {
        **source.protocol,
        "candidates": "all items but those that the user is known to have; none sampled",
        "ties": TIE_RULE,
        "recall_denominator": "all relevant items; of capped-recall at most k",
    }


def _of_lists(
    context: Context, lists: NDArray[np.int64], n_items: int, card: dict[str, Any]
) -> Iterator[Figure]:
    exposure = np.bincount(lists[lists >= 0], minlength=n_items)
    covered = float((exposure > 0).mean())
    for name, value, error, direction, definition in (
        (
            "coverage",
            covered,
            coverage_error(lists, n_items),
            "max",
            "share of all items in a list",
        ),
        (
            "gini",
            gini(exposure),
            gini_error(lists, n_items),
            "min",
            "of how often items are listed",
        ),
    ):
        half = _NORMAL * error
        interval = (value, max(value - half, 0.0), min(value + half, 1.0))
        yield context.figure(
            f"{name}@{LIST}",
            interval,
            direction,
            **card,
            definition=definition,
            interval="95 % normal interval over users, by the jackknife",
        )


def _of_groups(
    context: Context,
    name: str,
    values: NDArray[np.float64],
    groups: NDArray[np.int64],
    card: dict[str, Any],
) -> Iterator[Figure]:
    """Yield the mean of each third of the users, and how far the thirds are apart."""
    there = [group for group in range(3) if (groups == group).any()]
    for group in there:
        interval = mean_interval(values[groups == group])
        yield context.figure(
            f"{name}-{_THIRDS[group]}", interval, "max", **card, interval=_OVER_USERS
        )
    rows = np.column_stack([values, groups])

    def apart(drawn: NDArray[np.float64]) -> float:
        means = [drawn[drawn[:, 1] == g, 0].mean() for g in there if (drawn[:, 1] == g).any()]
        return float(max(means) - min(means))

    value, low, high = bootstrap_interval(rows, apart, seed=context.seed, resamples=200)
    interval = (value, min(low, value), max(high, value))
    yield context.figure(f"{name}-gap", interval, "min", **card, interval=_BOOTSTRAP)
