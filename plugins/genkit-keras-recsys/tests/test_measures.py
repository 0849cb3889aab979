"""Measures of rankings: the independent judge, ties, bounds, groups and cards."""

import json
import subprocess
import sys
from pathlib import Path

import ir_measures
import numpy as np
import pytest
from data import opened, rows, write
from genkit_recsys.evaluating import measure
from genkit_recsys.histories import Histories
from genkit_recsys.measures import coverage_error, diversity, gini, measure_hits, novelty, thirds
from genkit_recsys.metric import Ranking, figures_of
from genkit_recsys.ranking import exclude, top
from ir_measures import AP, RR, P, R, Success, nDCG
from small import random_source, trained

import genkit
from genkit.errors import DataError, UsageError
from genkit.evaluation import Context, check_comparable

JUDGED = {
    "recall@10": R @ 10,
    "recall@20": R @ 20,
    "precision@10": P @ 10,
    "hit@10": Success @ 10,
    "mrr@10": RR @ 10,
    "map@10": AP @ 10,
    "ndcg@10": nDCG @ 10,
    "ndcg@100": nDCG @ 100,
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "clicks.csv", rows())


@pytest.fixture(scope="module")
def ease(file):
    return trained("ease", opened(file))


def judged(scores, excluded, wanted):
    """Ask trec_eval, by way of ir-measures, user by user."""
    run, relevant = [], []
    for user in range(len(wanted)):
        out = set(excluded[user].tolist())
        for rank, item in enumerate(np.lexsort((np.arange(scores.shape[1]), -scores[user]))):
            if int(item) not in out:  # trec_eval has another rule for ties: give it none
                run.append(ir_measures.ScoredDoc(str(user), str(item), float(-rank)))
        relevant += [ir_measures.Qrel(str(user), str(i), 1) for i in wanted[user].tolist()]
    found = {name: np.zeros(len(wanted)) for name in JUDGED}
    names = {measure: name for name, measure in JUDGED.items()}
    for each in ir_measures.iter_calc(list(names), relevant, run):
        found[names[each.measure]][int(each.query_id)] = each.value
    return found


@pytest.mark.parametrize("name", ["ease", "popularity"])
def test_every_measure_agrees_with_trec_eval_to_nine_digits(tmp_path, name):
    file, open_ = random_source(tmp_path)
    test = open_(file, split="test", test=0.3)
    model = trained(name, open_(file, test=0.3))
    measured = measure(model, test).values
    scores = model.scores(test.given, test.users)
    right = judged(scores, test.excluded, test.histories)
    for each, values in right.items():
        assert np.abs(measured[each] - values).max() < 1e-9, each
    assert 0 < measured["ndcg@10"].mean() < 1


def test_capped_recall_divides_by_at_most_k():
    hits = np.zeros((1, 100), bool)
    hits[0, :15] = True
    values = measure_hits(hits, np.array([60]))
    assert values["recall@20"][0] == 15 / 60
    assert values["capped-recall@20"][0] == 15 / 20


def test_of_equal_scores_the_first_item_stands_first_also_across_the_border():
    scores = np.array([[1, 2, 2, 2, 0, 2], [0, 0, 0, 0, 0, 0], [5, 4, 3, 2, 1, 0]], "float32")
    assert top(scores, 3).tolist() == [[1, 2, 3], [0, 1, 2], [0, 1, 2]]
    rng = np.random.default_rng(0)
    many = rng.integers(0, 6, (50, 40)).astype("float32")
    exact = np.lexsort((np.tile(np.arange(40), (50, 1)), -many), axis=1)[:, :9]
    assert np.array_equal(top(many, 9), exact)


def test_what_is_excluded_is_never_ranked_and_short_lists_are_marked():
    scores = np.ones((2, 4), "float32")
    exclude(scores, Histories.of_lists([[0, 1, 3], []], 4))
    assert top(scores, 4).tolist() == [[2, -1, -1, -1], [0, 1, 2, 3]]


def test_gini_coverage_novelty_and_diversity_are_as_defined():
    assert gini(np.array([3, 3, 3])) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 9])) == pytest.approx(0.75)
    lists = np.array([[0, 1], [0, 2], [0, -1]])
    # Each of the first two users alone brings one of four items; by leaving one out:
    alone = np.array([1, 1, 0]) / 4
    assert coverage_error(lists, 4) == pytest.approx(
        np.sqrt(2 / 3 * np.square(alone - alone.mean()).sum())
    )
    bits = novelty(np.array([[0, 1]]), np.array([0.5, 0.125]))
    assert bits.tolist() == [2.0]
    similar = np.array([[1, 0.5], [0.5, 1]], "float32")
    apart = diversity(np.array([[0, 1], [0, -1]]), similar, np.array([0, 1]))
    assert apart.tolist() == [0.5, 0.0]


def test_intervals_over_users_hold_the_truth_nineteen_times_in_twenty():
    rng, held = np.random.default_rng(0), {"coverage": 0, "gini": 0}
    chances = rng.dirichlet(np.full(50, 0.3))
    from genkit_recsys.measures import gini_error

    def draw():
        return np.stack([rng.choice(50, 5, replace=False, p=chances) for _ in range(200)])

    truth = np.mean([gini(np.bincount(draw().ravel(), minlength=50)) for _ in range(60)])
    for _ in range(60):
        lists = draw()
        value = gini(np.bincount(lists.ravel(), minlength=50))
        held["gini"] += abs(value - truth) <= 1.96 * gini_error(lists, 50)
    assert held["gini"] >= 50


def test_thirds_put_equal_values_together():
    assert thirds(np.array([1.0, 2, 3, 4, 5, 6])).tolist() == [0, 0, 1, 1, 2, 2]
    assert thirds(np.ones(7)).tolist() == [0] * 7


def context(model, source, **card):
    return Context(source.schema, model=model, real=source, card={"seed": 1, **card})


def test_each_figure_says_how_it_was_measured(file, ease):
    source = opened(file, split="test")
    figures = {f.name: f for f in figures_of(context(ease, source), measure(ease, source), source)}
    card = figures["recall@10"].card
    for said in ("protocol", "filter", "candidates", "ties", "recall_denominator", "definition"):
        assert card[said]
    assert card["history"] == "training events"
    groups = {name for name in figures if name.startswith("ndcg@10/")}
    assert {"ndcg@10/activity-gap", "ndcg@10/taste-low", "ndcg@10/taste-high"} <= groups
    assert "coverage@10" in figures
    assert all(f.low <= f.value <= f.high for f in figures.values())
    json.dumps([f.to_dict() for f in figures.values()], allow_nan=False)


def test_figures_of_different_protocols_refuse_to_be_compared(file, ease):
    found = []
    for settings in ({}, {"split_seed": 1}):
        source = opened(file, split="test", **settings)
        model = trained("ease", opened(file, **settings))
        figures = figures_of(context(model, source), measure(model, source), source)
        found.append(next(f for f in figures if f.name == "ndcg@10"))
    with pytest.raises(UsageError, match="split_seed: 0 and 1"):
        check_comparable(*found)


def test_a_model_that_has_seen_the_test_events_is_refused(file, ease):
    other = opened(file, split="test", split_seed=1)
    with pytest.raises(DataError, match="were in it, first user 'user") as caught:
        measure(ease, other)
    assert "split_seed" in caught.value.hint
    with pytest.raises(DataError, match="has others"):
        measure(ease, opened(file, split="test", item_core=10))
    with pytest.raises(DataError, match="Expected events to guess"):
        measure(ease, opened(file))


def test_a_model_trained_after_the_test_events_is_refused(tmp_path):
    table = [(f"u{u}", f"i{(u * 7 + t) % 40}", 1, t) for u in range(20) for t in range(20)]
    file = write(tmp_path / "time.csv", table)
    late = opened(file, protocol="temporal", test=0.1)
    model = trained("ease", late)
    early = opened(file, protocol="temporal", split="test", test=0.1)
    measure(model, early)
    early.earliest = late.archive.trained_until
    with pytest.raises(DataError, match="when training ended"):
        measure(model, early)


def test_scores_that_are_not_finite_are_refused(file, ease, monkeypatch):
    monkeypatch.setattr(ease, "score_histories", lambda h, _: np.full((len(h), 45), np.nan))
    with pytest.raises(DataError, match="finite scores"):
        measure(ease, opened(file, split="test"))


def test_what_can_not_be_ranked_is_left_out_with_a_reason(file, ease):
    assert not Ranking.unfit(context(ease, opened(file, split="test")))
    assert "--split test" in Ranking.unfit(context(ease, opened(file)))
    assert "recommend" in Ranking.unfit(context(None, opened(file)))
    assert genkit.Registry(plugins=[]).names("metrics") == []


def test_memory_is_bounded_by_a_block_of_users_not_by_their_number():
    users, items = 4000, 20_000
    done = subprocess.run(
        [sys.executable, "-m", "bench.memory", str(users), str(items)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[1],
    )
    grown = json.loads(done.stdout)["grown"]
    assert (
        grown < 600e6
    )  # of a block; the scores of all would be users * items * 8 = 640e6 and more
