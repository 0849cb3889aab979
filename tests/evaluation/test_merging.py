"""Metrics are merged from parts, shown in other processes: the figures are those of the whole."""

import numpy as np
import pytest

from genkit.errors import UsageError
from genkit.evaluation import Batch, Metric
from genkit.evaluation.metrics import diversity, kid, neighbours
from genkit.evaluation.metrics.jackknife import Dealer
from genkit.evaluation.metrics.kept import Kept
from genkit.evaluation.metrics.membership import MembershipInference
from genkit.evaluation.metrics.memorisation import Memorisation
from tests.evaluation import shards
from tests.evaluation.shards import METRICS, apart, figures, measured, merged, write_part
from tests.evaluation.shown import Given, context, digits

pytestmark = pytest.mark.once


@pytest.fixture(scope="module", autouse=True)
def fewer_kept():
    """Let metrics keep fewer rows than there are, so that they choose."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (neighbours, kid, diversity):
            patch.setattr(module, "LIMIT", 1000)
        patch.setattr(shards, "REAL", 2000)
        yield


@pytest.fixture(scope="module")
def parts(fewer_kept, tmp_path_factory):
    """Files of seven shards of 3,001 samples each."""
    folder = tmp_path_factory.mktemp("parts")
    for shard in range(7):
        write_part(folder / f"{shard}.npz", METRICS, shard, 3001)
    return [folder / f"{shard}.npz" for shard in (4, 0, 6, 2, 3, 1, 5)]


@pytest.mark.parametrize("name", METRICS)
def test_parts_of_several_processes_give_the_figures_of_one(parts, name):
    whole = figures(measured([name], 0, 7 * 3001, real=True))
    assert apart(whole, figures(merged(parts, [name]))) < 1e-9
    if name != "ClassCoverage":  # all classes are there in any of the parts
        assert apart(whole, figures(merged(parts[:-1], [name]))) > 1e-6


@pytest.mark.parametrize("metric", [Memorisation, MembershipInference])
def test_distances_to_training_items_are_merged_too(metric):
    images, _ = digits()
    streams = {"generated": images[:500], "real": images[500:800], "training": images[800:]}
    streams["generated"][7] = streams["training"][3]
    settings = context(training=object())

    def shown(*shares):
        made = metric(settings)
        for share in shares:
            for stream, items in streams.items():
                begin, end = (int(len(items) * place) for place in share)
                made.update(stream, Batch(items[begin:end], Given(), begin=begin))
        return made

    whole, together = shown((0, 1)), metric(settings)
    for share in ((0.5, 1), (0, 0.25), (0.25, 0.5)):
        together.merge(shown(share).state())
    first, second = (
        {f.name: (f.value, f.low, f.high) for f in each.compute()} for each in (whole, together)
    )
    assert first == second
    if metric is Memorisation:
        assert whole.pairs == together.pairs
        assert [(p.sample, p.training) for p in together.pairs if not p.distance] == [(7, 3)]


def test_a_metric_that_cannot_be_merged_says_so():
    class Own(Metric):
        pass

    for act in (lambda metric: metric.state(), lambda metric: metric.merge({})):
        with pytest.raises(UsageError, match="Own can't be merged from parts"):
            act(Own(context()))


def test_choices_and_blocks_follow_from_the_place():
    rows = np.arange(9000.0)[:, None]
    whole, jumping = Kept(100, 3), Kept(100, 3)
    whole.add(rows)
    for begin in (6000, 0, 3000):
        jumping.add(rows[begin : begin + 3000], begin)
    np.testing.assert_array_equal(whole.rows, jumping.rows)
    np.testing.assert_array_equal(whole.places, jumping.places)
    dealt, dealer = Dealer(20).deal(9000), Dealer(20)
    for begin in (6007, 11, 11, 3000):
        np.testing.assert_array_equal(dealer.deal(777, begin), dealt[begin : begin + 777])
