"""The judges: what they say of rows whose quality is known."""

import numpy as np
import pytest
from genkit_tabular.configs import CustomersConfig
from genkit_tabular.datasets import open_customers
from genkit_tabular.judging import BrokenRules, TwoSample, Usefulness

from genkit.errors import UsageError
from genkit.evaluation import Batch, Context

TRAIN = open_customers(CustomersConfig(n=600))
TEST = open_customers(CustomersConfig(n=600, split="test"))
FIRST = next(iter(TRAIN.schema.fields))


def all_of(source, rows=None):
    return source.gather(np.arange(len(source)) if rows is None else rows)


def figures(metric_class, made, batches=1):
    names = tuple(TRAIN.schema.fields)
    context = Context(
        TRAIN.schema, training=TRAIN, real=TEST, assets=TRAIN.assets, output_fields=names
    )
    assert metric_class.unfit(context) == ""
    metric = metric_class(context)
    for stream, rows in (("generated", made), ("real", all_of(TEST)), ("training", all_of(TRAIN))):
        for part in np.array_split(np.arange(len(rows[FIRST])), batches):
            fields = {name: array[part] for name, array in rows.items()}
            metric.update(stream, Batch(fields[FIRST], fields=fields))
    return {figure.name: figure for figure in metric.compute()}


def shuffled(seed=0):
    rng = np.random.default_rng(seed)
    rows = all_of(TRAIN)
    order = {name: rng.permutation(600) for name in TRAIN.schema.fields}
    return {name: array[order[name.removesuffix("_missing")]] for name, array in rows.items()}


def test_real_rows_pass_and_shuffled_columns_are_told_apart():
    real = figures(TwoSample, all_of(TRAIN))
    assert real["two-sample"].value == real["two-sample (ceiling)"].value > 0.85
    floor = real["two-sample (floor)"].value
    assert floor < 0.75
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
