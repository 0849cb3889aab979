"""From the results of all seeds and arms to what ``augmentation.json`` holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from genkit.plugins.entry_points import own_version
from genkit.workflows.augmentation.settings import Settings
from genkit.workflows.augmentation.verdict import (
    CORRECTION,
    QUESTIONS,
    TEST,
    Verdict,
    compare_arms,
    judge,
    robustness,
    summarize_arms,
)


def conclude(
    settings: Settings,
    results: Mapping[str, Mapping[str, Mapping[str, float]]],
    n_test: int,
    overlap: float = 0.0,
    *,
    corruptions: Mapping[str, str] = MappingProxyType({}),
    measures: Sequence[str] = ("accuracy",),
) -> tuple[Verdict, dict[str, Any]]:
    """Judge finished results.

    Args:
        settings: of the augmentation.
        results: by seed, ``Arm.key`` and measure.
        n_test: items of the test split.
        overlap: see ``subset_overlap``.
        corruptions: what the learner was tested under besides, in words by name.
        measures: what was measured; the first is judged.

    Returns:
        the verdict, and what ``augmentation.json`` holds.
    """
    seeds = [results[str(seed)] for seed in range(settings.seeds)]

    def scores(measure: str) -> dict[str, list[float]]:
        arms = [arm.key for arm in settings.arms() if measure in seeds[0][arm.key]]
        return {key: [mine[key][measure] for mine in seeds] for key in arms}

    measure, *others = measures
    judged, plan, step = scores(measure), settings.generator, 1 / n_test
    verdicts: list[Verdict] = [
        judge(
            question,
            compare_arms(judged, settings.ratios, *arms, resolution=step),
            overlap,
            measure,
        )
        for question, arms in QUESTIONS.items()
    ]
    corrupted = {name: scores(name) for name in corruptions}
    return verdicts[0], {
        "genkit": own_version(),
        "model": plan.model,
        "dataset": plan.dataset,
        "backend": plan.backend,
        "per_class": settings.per_class,
        "seeds": settings.seeds,
        "test_items": n_test,
        "subset_overlap": overlap,
        "test": TEST,
        "correction": CORRECTION,
        "measure": measure,
        "table": summarize_arms(judged, settings.arms(), measure),
        "also": {name: summarize_arms(scores(name), settings.arms(), name) for name in others},
        "robustness": robustness(
            corrupted, settings.ratios, corruptions, measure=measure, resolution=step
        ),
        "verdict": verdicts[0].to_dict(),
        "verdict_beyond_classical": verdicts[1].to_dict(),
    }


def subset_overlap(labels: np.ndarray, classes: int, settings: Settings) -> float:
    """Return the share of items that subsets drawn from the same pool have in common.

    Args:
        labels: class numbers of the whole train split.
        classes: how many there are.
        settings: of the augmentation.

    Returns:
        0 while each seed has items of its own; else what two independent draws from the smallest
        class share on average.
    """
    pool = int(np.bincount(labels, minlength=classes).min())
    if settings.seeds <= pool // settings.per_class:
        return 0.0
    return settings.per_class / pool
