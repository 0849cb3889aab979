"""Means, intervals and tests over the seeds."""

import math

import numpy as np
import pytest
from scipy import stats

from genkit.workflows.comparison.statistics import (
    LOSS,
    QUALITY,
    SPEED,
    differences,
    holm,
    means,
    not_alike,
)
from tests.comparison.made_up import cell

TORCH, JAX = (12.0, 11.5, 12.6, 12.2), (6.7, 6.9, 6.2, 6.8)


def cells_of(**speeds):
    return [cell(b, i, speed=v, loss=v) for b, each in speeds.items() for i, v in enumerate(each)]


def only(found, quantity):
    return [each for each in found if each.quantity == quantity]


def test_a_mean_has_the_t_interval_over_the_seeds():
    (mean,) = only(means(cells_of(torch=TORCH)), LOSS + "g_loss")
    low, high = stats.t.interval(0.95, 3, np.mean(TORCH), stats.sem(TORCH))
    assert (mean.mean, mean.low, mean.high) == pytest.approx((np.mean(TORCH), low, high))
    assert mean.n == 4


def test_a_mean_speed_is_geometric_so_that_its_interval_is_positive():
    (mean,) = only(means(cells_of(torch=(1.0, 100.0))), SPEED)
    logs = np.log([1, 100])
    low, high = np.exp(stats.t.interval(0.95, 1, logs.mean(), stats.sem(logs)))
    assert (mean.mean, mean.low, mean.high) == pytest.approx((10, low, high))


def test_one_seed_has_no_interval_but_that_of_its_quality():
    found = means([cell("torch", fids=30)])
    (speed,), (quality,) = only(found, SPEED), only(found, QUALITY + "fid")
    assert math.isinf(speed.high)
    assert speed.to_dict()["high"] is None
    assert (quality.low, quality.high) == (29, 31)


def test_speeds_are_compared_as_a_ratio_paired_by_seed():
    (found,) = only(differences(cells_of(torch=TORCH, jax=JAX)), SPEED)
    logs = np.log(TORCH) - np.log(JAX)
    low, high = np.exp(stats.t.interval(0.95, 3, logs.mean(), stats.sem(logs)))
    assert (found.value, found.low, found.high) == pytest.approx((np.exp(logs.mean()), low, high))
    assert found.p == pytest.approx(stats.ttest_rel(np.log(TORCH), np.log(JAX)).pvalue)


def test_losses_are_compared_as_a_difference():
    (found,) = only(differences(cells_of(torch=TORCH, jax=JAX)), LOSS + "g_loss")
    assert found.value == pytest.approx(np.mean(TORCH) - np.mean(JAX))
    assert found.p == pytest.approx(stats.ttest_rel(TORCH, JAX).pvalue)


def test_only_seeds_that_both_have_are_compared():
    (found,) = only(differences(cells_of(torch=TORCH, jax=JAX[:2])), SPEED)
    assert found.n == 2
    (found,) = only(differences(cells_of(torch=TORCH, jax=JAX[:1])), SPEED)
    assert (found.n, found.p, found.is_clear) == (1, None, False)


def test_p_values_are_corrected_for_all_pairs():
    found = only(differences(cells_of(torch=TORCH, jax=JAX, tensorflow=(5, 5.2, 5.1, 4.9))), SPEED)
    assert len(found) == 3
    assert [each.p_holm for each in found] == pytest.approx(holm([each.p for each in found]))
    assert all(each.p_holm > each.p for each in found if each.p < max(e.p for e in found))


def test_holm_is_that_of_the_textbook():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_figures_measured_in_different_ways_are_not_compared():
    cells = [cell("torch", fids=30), cell("jax", fids=31, card={"n": 200})]
    assert not only(differences(cells), QUALITY + "fid")
    ((key, why),) = not_alike(cells).items()
    assert key == ("gan", "fid")
    assert "n: 100 and 200" in why


def test_equal_differences_of_all_seeds_cant_tell():
    cells = [cell(b, seed, loss=v) for b, v in (("torch", 0.7), ("jax", 0.4)) for seed in range(3)]
    (found,) = only(differences(cells), LOSS + "g_loss")
    assert (found.value, found.n) == (pytest.approx(0.3), 3)
    assert (found.p, found.is_clear, math.isinf(found.high)) == (None, False, True)


def test_quality_measured_in_different_ways_is_not_averaged():
    cells = [cell("torch", 0, fids=30), cell("torch", 1, fids=31, card={"n": 200})]
    assert not only(means(cells), QUALITY + "fid")
    assert only(means(cells), SPEED)
