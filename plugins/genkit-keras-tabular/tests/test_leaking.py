"""Attacks on generated rows: copies are caught, independent columns are not."""

import pytest
from genkit_tabular.configs import CustomersConfig
from genkit_tabular.datasets import open_customers
from genkit_tabular.judges.attacks import Attacks
from genkit_tabular.judges.leaking import Membership
from measured import TRAIN, all_of, context_of, figures, shuffled


def test_a_model_that_copies_is_caught_and_independent_columns_are_not():
    copied, fake = figures(Membership, all_of(TRAIN)), figures(Membership, shuffled())
    assert copied["membership"].value > 0.9
    assert fake["membership"].low <= 0.01 < fake["membership"].high < 0.2
    for each in (copied, fake):
        assert each["membership (planted leak)"].value >= 0.45
    assert copied["nearer-training"].value > 0.9
    assert fake["nearer-training"].value == pytest.approx(0.5, abs=0.08)


def test_new_people_of_the_same_kind_are_no_leak():
    others = open_customers(CustomersConfig(n=600, seed=7))
    found = figures(Membership, all_of(others))
    assert found["membership"].low <= 0.01
    assert found["membership"].value < 0.06


def test_who_is_attacked_fares_worse_where_rows_are_copies():
    copied, fake = figures(Attacks, all_of(TRAIN)), figures(Attacks, shuffled())
    for name in ("singling-out", "linkability", "inference"):
        assert copied[name].low > 0.5
        assert fake[name].value < 0.12
        assert fake[name].low <= 0.01
        assert fake[f"{name} (planted leak)"].value > 0.5
    assert copied["inference"].card["column_risk"] > 0.9


def test_too_few_held_out_rows_are_told_before_anything_is_measured():
    few = open_customers(CustomersConfig(n=60, split="test"))
    assert "200 held-out rows or more are needed, there are 60" in Membership.unfit(
        context_of(TRAIN, few)
    )
    assert Attacks.unfit(context_of(TRAIN, few)) == ""
