"""The judges: what they say of rows whose quality is known."""

import numpy as np
import pytest
from genkit_tabular.configs import CARTConfig
from genkit_tabular.features import Judged
from genkit_tabular.judges.beside import beside
from genkit_tabular.judges.fidelity import Fidelity
from genkit_tabular.judges.judging import BrokenRules, TwoSample, Usefulness
from genkit_tabular.models.cart import TableCART
from measured import TEST, TRAIN, all_of, context_of, figures, shuffled

from genkit.errors import UsageError
from genkit.evaluation import Context


def test_real_rows_pass_and_shuffled_columns_are_told_apart():
    real = figures(TwoSample, all_of(TRAIN))
    assert real["two-sample"].value == real["two-sample (ceiling)"].value > 0.85
    floor = real["two-sample (floor)"].value
    assert floor < 0.75
    assert floor + 0.05 < real["two-sample (tab-cart)"].value < real["two-sample (ceiling)"].value
    fake = figures(TwoSample, shuffled())
    assert fake["two-sample"].value == pytest.approx(floor, abs=0.1)
    assert fake["two-sample"].low <= fake["two-sample"].value <= fake["two-sample"].high


def test_the_column_that_betrays_rows_is_named():
    rows = all_of(TRAIN)
    rows["age"] = rows["age"] + 30
    found = figures(TwoSample, rows)["worst-column"]
    assert found.card["column"] == "age"
    assert found.value < 0.5


def test_rows_are_of_use_as_far_as_they_know_the_target():
    real, fake = figures(Usefulness, all_of(TRAIN)), figures(Usefulness, shuffled())
    assert real["tstr-auc"].value == real["tstr-auc (ceiling)"].value > 0.65
    assert abs(fake["tstr-auc"].value - 0.5) < 0.1
    assert real["tstr-f1"].value > fake["tstr-f1"].value + 0.05
    assert real["tstr-auc (floor)"].value < real["tstr-auc (tab-cart)"].value
    constant = all_of(TRAIN)
    constant["churned"] = np.zeros_like(constant["churned"])
    assert figures(Usefulness, constant)["tstr-auc"].value == 0.5


def test_figures_hang_on_neither_order_nor_batches():
    rows = all_of(TRAIN)
    turned = {name: array[::-1] for name, array in rows.items()}
    first, second = figures(Usefulness, rows), figures(Usefulness, turned, batches=7)
    assert {n: f.to_dict() for n, f in first.items()} == {n: f.to_dict() for n, f in second.items()}


def test_too_few_rows_and_a_table_without_rules_are_told():
    with pytest.raises(UsageError, match="50 rows or more"):
        figures(TwoSample, all_of(TRAIN, np.arange(20)))
    assert "no rules" in BrokenRules.unfit(Context(TRAIN.schema, assets=TRAIN.assets))
    assert "no table" in TwoSample.unfit(Context(TRAIN.schema))


def test_rows_of_trees_stand_beside_all_but_their_own_model():
    rows = Judged.of(TRAIN.schema, TRAIN.assets)
    seen = rows.rows(all_of(TRAIN))
    model = TableCART(CARTConfig(), TRAIN.schema)
    own = beside(context_of(TRAIN, TEST, model), rows, seen, seen)
    assert set(own) == {"", " (floor)", " (ceiling)"}


def test_columns_pairs_gaps_and_rare_names_are_told():
    rows = all_of(TRAIN)
    real = figures(Fidelity, rows)
    assert real["column-fidelity"].value == real["column-fidelity (ceiling)"].value > 0.95
    fake = figures(Fidelity, shuffled())
    assert fake["column-fidelity"].value == pytest.approx(real["column-fidelity"].value)
    assert fake["pair-fidelity"].value < real["pair-fidelity"].value - 0.05
    assert fake["pair-fidelity"].card["worst"].startswith("income and plan 0.")
    assert real["missing-gap"].value < 0.03
    rows["city_missing"] = np.ones(600, bool)
    rows["age"] = rows["age"] + 30
    poor = figures(Fidelity, rows)
    assert poor["column-fidelity"].card["worst"].startswith("city 0.00, age 0.")
    assert poor["missing-gap"].value > 0.85
    assert poor["missing-gap"].card["column"] == "city"
    assert poor["rare-recall"].value == 0
    assert poor["rare-recall (ceiling)"].value > 0.5
