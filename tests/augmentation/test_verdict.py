"""The verdict on made-up accuracies."""

import numpy as np
import pytest

from genkit.workflows.augmentation.verdict import (
    HELPS,
    HURTS,
    UNSURE,
    ArmComparison,
    compare_arms,
    judge,
)

REAL = [0.70, 0.72, 0.69, 0.71, 0.73]


def judged(resolution=0.0, **mixes):
    """Judge accuracies of real+synthetic by ratio (``r2`` is 2:1) against REAL."""
    ratios = [float(name[1:]) for name in mixes]
    scores = {f"real+synthetic {r:g}:1": v for r, v in zip(ratios, mixes.values(), strict=True)}
    scores["real"] = REAL
    return judge(
        "real only", compare_arms(scores, ratios, "real+synthetic", "real", resolution=resolution)
    )


def shifted(*by):
    return [score + one for score, one in zip(REAL, by, strict=True)]


BETTER = shifted(0.05, 0.06, 0.05, 0.04, 0.05)
WORSE = shifted(-0.05, -0.06, -0.05, -0.04, -0.05)
SAME = shifted(0.01, -0.02, 0.02, 0.01, -0.01)


def test_a_steady_gain_helps_and_names_its_ratio():
    verdict = judged(r1=SAME, r2=BETTER)
    assert (verdict.answer, verdict.ratio) == (HELPS, 2)
    assert verdict.sentence.startswith("Helps: at 2 synthetic to 1 real")
    told = verdict.to_dict()
    assert told["difference"] == pytest.approx(0.05)
    assert 0 < told["low"] < told["difference"] < told["high"]
    assert told["p"] < 0.05
    assert told["n"] == 5
    assert "paired t test" in told["test"]
    assert told["correction"] == "Bonferroni over the ratios of a question: 2"


def test_a_steady_loss_hurts():
    verdict = judged(r1=SAME, r2=WORSE)
    assert (verdict.answer, verdict.ratio, verdict.best_ratio) == (HURTS, 2, 1)


def test_chance_differences_cant_tell():
    verdict = judged(r1=SAME, r2=shifted(0.05, -0.06, 0.04, 0.06, -0.03))
    assert verdict.answer == UNSURE
    assert verdict.sentence.startswith("Can't tell")


def test_a_gain_at_one_ratio_counts_though_another_hurts_and_both_are_told():
    verdict = judged(r1=BETTER, r5=WORSE)
    assert (verdict.answer, verdict.ratio) == (HELPS, 1)
    assert "It hurts at 5:1" in verdict.sentence


def test_the_largest_gain_that_is_certain_is_named_not_a_larger_one_by_chance():
    lucky = shifted(0.4, -0.1, 0.3, -0.1, 0.2)
    verdict = judged(r1=BETTER, r2=lucky)
    assert (verdict.answer, verdict.ratio, verdict.best_ratio) == (HELPS, 1, 2)


def test_more_ratios_make_the_same_difference_less_certain():
    slight = shifted(0.01, 0.03, 0.02, 0.01, 0.04)
    alone = judged(r1=slight)
    among = judged(r1=slight, r2=SAME, r3=SAME, r4=SAME)
    assert alone.answer == HELPS
    assert among.answer == UNSURE
    assert among.comparisons[0].p == pytest.approx(4 * alone.comparisons[0].p)
    assert "98.75 % interval" in among.sentence


def test_the_interval_excludes_zero_exactly_where_the_corrected_p_is_below_5_percent():
    rng = np.random.default_rng(1)
    for _ in range(50):
        mix = shifted(*rng.normal(0.01, 0.01, 5))
        for c in judged(r1=mix, r2=SAME, r3=SAME).comparisons:
            assert (c.low > 0 or c.high < 0) == (c.p < 0.05)


def test_where_nothing_differs_a_verdict_is_rarely_given():
    """5 % are to be expected at most; 7.5 % of 400 has a chance of 2 % at that rate."""
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(400):
        mixes = {f"r{ratio}": shifted(*rng.normal(0, 0.02, 5)) for ratio in (1, 2, 3, 4)}
        wrong += judged(**mixes).answer != UNSURE
    assert wrong <= 30


def test_a_verdict_needs_the_interval_not_the_mean():
    uncertain = ArmComparison(ratio=1.0, difference=0.2, low=-0.001, high=0.4, p=0.051, n=3)
    assert judge("real only", [uncertain]).answer == UNSURE


def test_equal_differences_of_one_test_item_are_no_proof():
    one_item = shifted(*[0.01] * 5)
    assert judged(resolution=0.05, r1=one_item).answer == UNSURE
    told = judged(r1=one_item)
    assert told.answer == UNSURE
    assert "p unknown" in told.sentence
    assert (told.to_dict()["p"], told.to_dict()["low"]) == (None, None)


def test_equal_differences_of_many_test_items_help():
    verdict = judged(resolution=0.001, r1=shifted(*[0.05] * 5))
    assert verdict.answer == HELPS
    assert verdict.comparisons[0].low < 0.05 < verdict.comparisons[0].high
    assert verdict.comparisons[0].p > 0
