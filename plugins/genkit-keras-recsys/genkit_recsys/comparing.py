"""Two recommenders on the same users: a paired test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import genkit
from genkit.errors import UsageError
from genkit.evaluation import Context, Figure, Paired, check_comparable, paired_difference
from genkit_recsys.evaluating import measure
from genkit_recsys.metric import Ranking, figures_of
from genkit_recsys.source import InteractionSource


def compare(first: Path, second: Path, metric: str = "ndcg@10") -> tuple[Figure, Figure, Paired]:
    """Measure two runs on what the same users did next, and test the difference.

    Args:
        first: a run.
        second: another.
        metric: measured of each user: ``ndcg@10``, ``recall@20``, ...

    Returns:
        the figure of each, and the first minus the second with a 95 % interval and the p of a
        paired t test over users.

    Raises:
        UsageError: no such metric, or figures with different cards.
        DataError: see ``measure``.
    """
    found = [_measured(path, metric) for path in (first, second)]
    check_comparable(found[0][0], found[1][0])
    return found[0][0], found[1][0], paired_difference(found[0][1], found[1][1])


def _measured(path: Path, metric: str) -> tuple[Figure, Any]:
    model: Any = genkit.load(path)
    source = genkit.open_data(path, unseen=True)
    assert model.schema is not None, "a loaded model knows its data"
    card = {"split": "test", "fingerprint": source.fingerprint()}
    context = Context(model.schema, model=model, real=source, card=card)
    if reason := Ranking.unfit(context):
        raise UsageError(f"The run {path} can't be compared: {reason}.")
    assert isinstance(source, InteractionSource), "checked above"
    measured = measure(model, source)
    if metric not in measured.values:
        raise UsageError(f"Expected one of {', '.join(measured.values)}; received {metric!r}.")
    figure = next(f for f in figures_of(context, measured, source) if f.name == metric)
    return figure, measured.values[metric]
