"""Samples of the data: each item drawn by itself, with the same chance."""

import numpy as np
from genkit_dp.sampling import NOISE, WEIGHT, PoissonSampler

ITEMS, RATE, MANY = 50, 0.2, 4000


def sampler(key=7, rows=50, **noise):
    return PoissonSampler(ITEMS, RATE, rows, key, noise)


def drawn(number, **settings):
    rows, beside = sampler(**settings)(number)
    return rows[beside[WEIGHT] == 1]


def test_each_item_is_drawn_with_the_rate_and_apart_from_the_others():
    seen = np.zeros((MANY, ITEMS))
    for number in range(MANY):
        seen[number, drawn(number)] = 1
    spread = np.sqrt(RATE * (1 - RATE) / MANY)
    assert np.abs(seen.mean(axis=0) - RATE).max() < 5 * spread
    # Sizes vary as for independent draws; a fixed size would make other items rarer.
    assert abs(seen.sum(axis=1).var() / (ITEMS * RATE * (1 - RATE)) - 1) < 0.15
    correlations = np.corrcoef(seen.T)[np.triu_indices(ITEMS, 1)]
    assert abs(correlations.mean()) < 0.005


def test_an_item_is_never_twice_in_a_batch_and_weights_are_zero_or_one():
    for number in range(20):
        rows, beside = sampler(rows=20)(number)
        assert len(rows) == len(beside[WEIGHT]) == len(set(rows)) == 20
        assert set(beside[WEIGHT]) <= {0.0, 1.0}


def test_a_sample_larger_than_the_batch_is_cut():
    assert max(len(drawn(number, rows=8)) for number in range(50)) == 8


def test_all_follows_from_key_and_number_and_nothing_else():
    one, again = sampler(net=1000), sampler(net=1000)
    again(3)
    for a, b in zip((one(5)[0], *one(5)[1].values()), (again(5)[0], *again(5)[1].values())):  # noqa: B905
        np.testing.assert_array_equal(a, b)
    other_number, other_key = (
        one(6)[1][NOISE + "net"].ravel(),
        sampler(key=8, net=1000)(5)[1][NOISE + "net"].ravel(),
    )
    for other in (other_number, other_key):
        assert abs(np.corrcoef(one(5)[1][NOISE + "net"].ravel(), other)[0, 1]) < 0.15


def test_no_batch_has_noise_of_the_next_one_in_another_place():
    first, second = (sampler(net=1000)(number)[1][NOISE + "net"] for number in (0, 1))
    assert len(np.intersect1d(first, second)) < 10  # a few are alike by chance


def test_noise_is_standard_normal_and_its_own_for_each_optimizer():
    beside = sampler(a=100_000, b=100_000)(0)[1]
    a, b = beside[NOISE + "a"], beside[NOISE + "b"]
    for noise in (a, b):
        assert abs(noise.mean()) < 0.02
        assert abs(noise.std() - 1) < 0.02
    assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.02
