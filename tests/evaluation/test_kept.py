"""The bounded choice of rows, and the nearest neighbours among bytes."""

import numpy as np

from genkit.evaluation.metrics.kept import Kept
from genkit.evaluation.metrics.pairs import nearest


def kept(n, limit, size, seed=0):
    found = Kept(limit, seed)
    rows = np.arange(n)[:, None]
    for start in range(0, n, size):
        found.add(rows[start : start + size])
    return found


def test_below_the_limit_all_rows_stay():
    found = kept(100, 100, 7)
    assert sorted(found.rows[:, 0]) == list(range(100))
    assert (found.places == found.rows[:, 0]).all()


def test_batches_do_not_change_the_choice():
    few, many = kept(5000, 50, 3), kept(5000, 50, 1000)
    assert (few.rows == many.rows).all()
    assert len(few) == 50


def test_every_place_is_chosen_equally_often():
    hits = np.zeros(200)
    for seed in range(2000):
        hits[kept(200, 20, 50, seed).places] += 1
    # A tenth of 2,000 each: five deviations of sqrt(2000 * 0.1 * 0.9).
    assert np.abs(hits - 200).max() < 5 * 13.4


def test_nearest_finds_what_brute_force_finds_and_copies_at_zero():
    rng = np.random.default_rng(0)
    queries, references = (rng.integers(0, 256, (n, 60)).astype("uint8") for n in (700, 1300))
    queries[600] = references[1200]
    differences = queries[:, None].astype(float) - references
    expected = np.sqrt(np.square(differences).sum(axis=2))
    distances, places = nearest(queries, references)
    assert np.allclose(distances, expected.min(axis=1))
    assert (places == expected.argmin(axis=1)).all()
    assert distances[600] == 0
    assert places[600] == 1200
    alone, others = nearest(references, references, leave_self_out=True)
    assert (alone > 0).all()
    assert (others != np.arange(1300)).all()
