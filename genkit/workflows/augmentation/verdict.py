"""From accuracies to a table and a plain verdict.

One repetition (a seed: its subset, its generator, its classifier's first weights) is one
observation; every arm of a seed begins with the same weights, so arms are compared in pairs.

- Table: mean accuracy, or what else the learner measures, over the seeds with a 95 % t interval.
- ArmComparison: paired t test over the seeds, at each ratio. The interval is the t interval of the
  mean difference, widened by Bonferroni to hold for all ratios of its question at once. A ratio
  that was picked because it looks best is therefore judged no more leniently than the others, and
  no validation items are needed to pick it. Differences that are all alike count as if they were
  known to one test item only.
- Verdict: only where such an interval excludes 0; else "can't tell".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from genkit.evaluation.intervals import LEVEL, T_INTERVAL, mean_interval, paired_difference
from genkit.files import finite
from genkit.workflows.augmentation.arms import Arm

TEST = "paired t test over the seeds, two-sided"
CORRECTION = "Bonferroni over the ratios of a question"
QUESTIONS = {
    "real only": ("real+synthetic", "real"),
    "real with classical augmentation": ("all", "real+classical"),
}
"""What synthetic items are added to: the arm with them, and the one without."""

HELPS, HURTS, UNSURE = "helps", "hurts", "can't tell"


@dataclass(frozen=True)
class ArmComparison:
    """How an arm with synthetic items differs from the same without, in what is measured.

    Args:
        ratio: synthetic items for each real one.
        difference: mean over the seeds of with minus without.
        low: lower end of the corrected interval.
        high: upper end.
        p: corrected, at most 1; NaN where the seeds can't tell.
        n: pairs, one a seed.
    """

    ratio: float
    difference: float
    low: float
    high: float
    p: float
    n: int


@dataclass(frozen=True)
class Verdict:
    """The answer to one question.

    Args:
        question: what synthetic items were added to.
        answer: ``helps``, ``hurts`` or ``can't tell``.
        ratio: helps: of those that help, the one with the largest difference; hurts: of those that
            hurt, the one with the smallest; can't tell: the one with the largest difference.
        best_ratio: the one with the largest mean difference, whatever it is worth.
        comparisons: at every ratio.
        sentence: all of it in words.
    """

    question: str
    answer: str
    ratio: float
    best_ratio: float
    comparisons: tuple[ArmComparison, ...]
    sentence: str

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, with the numbers of the named ratio on top."""
        named = asdict(next(c for c in self.comparisons if c.ratio == self.ratio))
        summary = {
            "question": f"synthetic items added to {self.question}",
            "answer": self.answer,
            **named,
            "test": TEST,
            "correction": f"{CORRECTION}: {len(self.comparisons)}",
            "sentence": self.sentence,
            "comparisons": [finite(asdict(comparison)) for comparison in self.comparisons],
        }
        return finite(summary)


def compare_arms(
    scores: Mapping[str, Sequence[float]],
    ratios: Sequence[float],
    with_: str,
    without: str,
    *,
    resolution: float = 0.0,
) -> tuple[ArmComparison, ...]:
    """Compare two kinds of arms at every ratio.

    Args:
        scores: shares in order of the seeds, by ``Arm.key``.
        ratios: of the arms that have synthetic items.
        with_: name of the arms with synthetic items.
        without: name of the arm without.
        resolution: smallest step of a score, one in the number of test items.
    """
    level = 1 - (1 - LEVEL) / len(ratios)
    found = []
    for ratio in ratios:
        with_scores = scores[Arm(with_, ratio).key]
        pair = paired_difference(with_scores, scores[without], level, resolution=resolution)
        p = min(pair.p * len(ratios), 1.0)  # in this order NaN stays NaN
        found.append(ArmComparison(ratio, pair.difference, pair.low, pair.high, p, pair.n))
    return tuple(found)


def judge(
    question: str,
    comparisons: Sequence[ArmComparison],
    overlap: float = 0.0,
    measure: str = "accuracy",
) -> Verdict:
    """Answer a question; see the module's own text for when which answer is given.

    Args:
        question: one of ``QUESTIONS``.
        comparisons: at every ratio.
        overlap: share of items that the seeds' subsets have in common.
        measure: what was measured.
    """
    best = max(comparisons, key=lambda c: c.difference)
    helping = [c for c in comparisons if c.low > 0]
    hurting = [c for c in comparisons if c.high < 0]
    if helping:
        answer, named = HELPS, max(helping, key=lambda c: c.difference)
    elif hurting:
        answer, named = HURTS, min(hurting, key=lambda c: c.difference)
    else:
        answer, named = UNSURE, best
    sentence = _sentence(question, answer, named, len(comparisons), measure)
    if helping and hurting:
        sentence += f" It hurts at {_listed(hurting)}."
    if overlap:
        sentence += (
            f" Some seeds' subsets share about {overlap:.0%} of their items, for the data has too "
            "few: the interval may be too narrow."
        )
    return Verdict(question, answer, named.ratio, best.ratio, tuple(comparisons), sentence)


def summarize_arms(
    scores: Mapping[str, Sequence[float]], arms: Sequence[Arm], measure: str = "accuracy"
) -> list[dict[str, Any]]:
    """Return a row an arm: the mean of a measure over the seeds with a 95 % t interval."""
    rows = []
    for arm in arms:
        mean, low, high = mean_interval(scores[arm.key])
        rows.append(
            {
                "arm": arm.name,
                "ratio": arm.ratio,
                "n": len(scores[arm.key]),
                measure: mean,
                "low": low,
                "high": high,
                "interval": T_INTERVAL,
                "values": list(scores[arm.key]),
            }
        )
    return rows


def robustness(
    scores: Mapping[str, Mapping[str, Sequence[float]]],
    ratios: Sequence[float],
    descriptions: Mapping[str, str],
    *,
    measure: str = "accuracy",
    resolution: float = 0.0,
) -> list[dict[str, Any]]:
    """Return a row for each corruption: real only, and the mixes against it.

    Their intervals are 95 % t intervals of the paired differences, uncorrected: they describe, and
    no verdict rests on them.

    Args:
        scores: shares in order of the seeds, by corruption and ``Arm.key``.
        ratios: of the mixes.
        descriptions: of the corruptions.
        measure: what was measured.
        resolution: smallest step of a score.
    """
    rows = []
    for name, by_arm in scores.items():
        with_, without = QUESTIONS["real only"]
        for arm in (Arm(without), *(Arm(with_, ratio) for ratio in ratios)):
            about = {"corruption": name, "what": descriptions[name]}
            row = {**about, **summarize_arms(by_arm, [arm], measure)[0]}
            if arm.ratio is not None:
                pair = paired_difference(by_arm[arm.key], by_arm[without], resolution=resolution)
                row["against_real"] = finite(asdict(pair))
            rows.append(row)
    return rows


def _sentence(question: str, answer: str, named: ArmComparison, ratios: int, measure: str) -> str:
    wide = f"{100 - 5 / ratios:.4g} %"
    numbers = (
        f"{_points(named.difference)} points of {measure} ({wide} interval "
        f"{_points(named.low)} to {_points(named.high)}, corrected p {_p(named.p)}, "
        f"n {named.n} seeds)"
    )
    mix = f"{named.ratio:g} synthetic to 1 real"
    if answer == HELPS:
        return f"Helps: at {mix}, added to {question}, {numbers}."
    if answer == HURTS:
        return f"Hurts: at {mix}, added to {question}, {numbers}; no ratio helps."
    return (
        f"Can't tell: added to {question}, no ratio's interval excludes 0. The largest difference, "
        f"at {mix}: {numbers}."
    )


def _listed(comparisons: Sequence[ArmComparison]) -> str:
    return ", ".join(f"{c.ratio:g}:1 ({_points(c.difference)})" for c in comparisons)


def _points(share: float) -> str:
    return f"{100 * share:+.2f}" if math.isfinite(share) else f"{share:+}"


def _p(p: float) -> str:
    if math.isnan(p):
        return "unknown"
    return f"{p:.2g}" if p >= 0.001 else "below 0.001"  # noqa: PLR2004
