"""Epsilon against figures that dp-accounting gives by itself."""

import math

import dp_accounting
import numpy as np
import pytest
from dp_accounting import pld, rdp
from genkit_dp.accounting import Accountant
from genkit_dp.config import PrivacyConfig
from genkit_dp.trainer import PrivateTrainer
from scipy import stats
from small import Linear, items

from genkit.data import as_source
from genkit.errors import UsageError
from genkit.plan.fitting import FitSettings

CASES = [(1797, 64, 1.1, 1, 115), (60000, 128, 0.8, 2, 3000), (500, 50, 3.0, 1, 40)]


def event(items, batch, noise, releases):
    gaussian = dp_accounting.GaussianDpEvent(noise)
    inner = dp_accounting.SelfComposedDpEvent(gaussian, releases)
    return dp_accounting.PoissonSampledDpEvent(batch / items, inner)


@pytest.mark.parametrize(("items", "batch", "noise", "releases", "steps"), CASES)
def test_epsilon_is_what_the_renyi_accountant_composes(items, batch, noise, releases, steps):
    delta = 1 / (10 * items)
    ours = Accountant(items, batch / items, noise, releases, delta)
    theirs = rdp.RdpAccountant()
    theirs.compose(event(items, batch, noise, releases), steps)
    expected = theirs.get_epsilon(0.99 * delta)
    assert ours.epsilon(steps) == pytest.approx(expected, rel=1e-9)
    assert ours.epsilon(steps) >= theirs.get_epsilon(delta)


def test_epsilon_is_no_less_than_the_tighter_accountant_finds():
    delta, gaussian = 1 / 17970, dp_accounting.GaussianDpEvent(1.1)
    tight = pld.PLDAccountant(value_discretization_interval=1e-3)
    tight.compose(dp_accounting.PoissonSampledDpEvent(64 / 1797, gaussian), 115)
    found = Accountant(1797, 64 / 1797, 1.1, 1, delta).epsilon(115)
    assert tight.get_epsilon(delta) <= found <= 1.5 * tight.get_epsilon(delta)


@pytest.mark.parametrize(
    ("noise", "epochs", "published"), [(1.3, 15, 1.19), (1.1, 60, 3.01), (0.7, 45, 7.10)]
)
def test_epsilon_is_the_published_one_or_a_little_below(noise, epochs, published):
    # TensorFlow Privacy's tutorial on MNIST: batches of 256 of 60,000, delta 1e-5. It turned Renyi
    # divergences into epsilon by Mironov 2017, proposition 3; dp-accounting has a tighter way.
    steps = epochs * 60_000 // 256
    accountant = Accountant(60_000, 256 / 60_000, noise, 1, 1e-5)
    assert 0.75 * published < accountant.epsilon(steps) <= published
    orders, one = accountant._orders, accountant._one_step
    as_then = min(steps * e + math.log(1e5) / (o - 1) for o, e in zip(orders, one, strict=True))
    assert as_then == pytest.approx(published, rel=0.01)


def test_two_optimizers_at_one_sample_cost_more_than_one():
    one, two = (Accountant(1000, 0.05, 1.1, releases, 1e-4).epsilon(100) for releases in (1, 2))
    assert two > 1.2 * one


def test_the_steps_within_a_budget_are_the_last_that_keep_it():
    accountant = Accountant(1797, 64 / 1797, 1.1, 1, 5e-5)
    steps = accountant.steps_within(3.0)
    assert accountant.epsilon(steps) <= 3.0 < accountant.epsilon(steps + 1)
    assert accountant.steps_within(1e-3) == 0


def test_rows_hold_the_sample_but_for_a_chance_that_delta_pays_for():
    accountant = Accountant(1797, 64 / 1797, 1.1, 1, 5e-5)
    chance = stats.binom.sf(accountant.rows, 1797, 64 / 1797)
    epsilon = accountant.epsilon(3000)
    assert 64 < accountant.rows < 160
    assert 0 < 3000 * chance * (1 + math.exp(epsilon)) <= 0.01 * accountant.delta


def test_where_cut_samples_could_matter_no_epsilon_is_claimed():
    assert Accountant(60000, 128 / 60000, 0.4, 1, 1e-6).epsilon(100_000) == math.inf


def test_a_sample_of_few_items_is_never_cut():
    accountant = Accountant(10, 0.5, 2.0, 1, 0.01)
    assert accountant.rows == 10
    assert math.isfinite(accountant.epsilon(10**6))


def test_what_assets_cost_is_added_and_taken_from_the_budget():
    source, model = as_source(items(200)), Linear(5)
    source.assets_cost = (1.0, 1e-4)
    settings = FitSettings(batch_size=8, steps=9)

    def checked(**config):
        trainer = PrivateTrainer(PrivacyConfig(noise_multiplier=2.0, delta=1e-3, **config))
        trainer.check(model, source, settings)
        return trainer

    steps = Accountant(200, 0.04, 2.0, 1, 1e-3 - 1e-4)
    trainer = checked(max_epsilon=2.0)
    assert trainer.measures(5)["epsilon"] == 1.0 + steps.epsilon(5)
    assert not trainer.is_spent(steps.steps_within(1.0) - 1)
    assert trainer.is_spent(steps.steps_within(1.0))
    facts = trainer.statement(5)
    assert facts["guarantee"].endswith("0.001)-differential privacy")
    assert facts["of it for the data's assets"] == "epsilon 1, delta 0.0001, added"
    with pytest.raises(UsageError, match="budget for one step"):
        checked(max_epsilon=1.0)
    source.assets_cost = (1.0, 1e-3)
    with pytest.raises(UsageError, match=r"delta above that of the data's assets, 0\.001"):
        checked()


def test_the_card_bounds_what_an_attack_finds_at_one_in_a_hundred_false_alarms():
    source = as_source(items(200))
    trainer = PrivateTrainer(PrivacyConfig(noise_multiplier=4.0, delta=1e-3))
    trainer.check(Linear(5), source, FitSettings(batch_size=8, steps=9))
    most = np.exp(trainer.measures(5)["epsilon"]) * 0.01 + 1e-3
    assert f"at most {most:.2g} of the items" in trainer.statement(5)["what an attack can find"]
