"""Rules of a table: formats, computed columns and predicates hold, and real rows are counted."""

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.computing import Computed
from genkit_tabular.configs import MarginalsConfig, TableConfig
from genkit_tabular.datasets import open_table
from genkit_tabular.describing import Description
from genkit_tabular.ids import pattern_of_format
from genkit_tabular.judges.judging import BrokenRules
from genkit_tabular.models.marginals import TableMarginals
from genkit_tabular.predicates import Predicate
from genkit_tabular.raw import of_frame
from genkit_tabular.rule_forms import check_rules
from genkit_tabular.rules import Rules
from genkit_tabular.source import table_source

from genkit.errors import DataError, UsageError
from genkit.evaluation import Batch, Context

N = 500
RULES = """
[columns.order]
format = "C-{0000}"

[[rules]]
computed = "total"
product = ["price", "count"]

[[rules]]
computed = "paid"
difference = ["total", "rebate"]

[[rules]]
computed = "month"
part = ["on", "month"]

[[rules]]
predicate = "rebate <= 0.5 * price * count"
"""


def orders():
    """Rows that keep the rules, but for those that are named in the tests."""
    rng = np.random.default_rng(0)
    price = np.round(rng.uniform(1, 90, N), 2)
    count = rng.integers(1, 6, N)
    total = np.round(price * count, 2)
    rebate = np.round(total * rng.uniform(0, 0.5, N) * (rng.random(N) < 0.4), 2)
    on = np.datetime64("2024-01-01") + rng.integers(0, 366, N)
    frame = pd.DataFrame({
        "order": [f"C-{k:04}" for k in rng.permutation(N)],
        "price": price,
        "count": count,
        "total": total,
        "rebate": rebate,
        "paid": np.round(total - rebate, 2),
        "on": on,
        "month": on.astype("datetime64[M]").astype(int) % 12 + 1,
        "again": rng.random(N) < 0.5,
    })  # fmt: skip
    frame.loc[:2, "total"] += 1
    frame.loc[3, "rebate"] = 2 * frame.loc[3, "total"]
    frame.loc[4, "order"] = "D-0004"
    frame.loc[5, "order"] = frame.loc[6, "order"]
    return frame


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    folder = tmp_path_factory.mktemp("orders")
    orders().to_csv(folder / "orders.csv", index=False)
    (folder / "table.toml").write_text(RULES)
    return TableConfig(path=folder / "orders.csv", describe=folder / "table.toml", held_out=0)


@pytest.fixture(scope="module")
def source(table):
    with pytest.warns(UserWarning, match="break a rule") as told:
        source = open_table(table)
    source.told = str(told[0].message)
    return source


@pytest.fixture(scope="module")
def model(source):
    model = TableMarginals(MarginalsConfig(), source.schema)
    model.fit(source, verbose=False)
    return model


def test_real_rows_that_break_a_rule_are_counted_and_named(source):
    assert "3 computed = total, product = price, count" in source.told
    # Where total is another, so is what follows from it; row 3 has another rebate.
    assert "4 computed = paid, difference = total, rebate" in source.told
    assert "1 predicate = rebate <= 0.5 * price * count" in source.told
    assert "2 format of order" in source.told
    assert "month" not in source.told


def test_rules_hold_in_every_generated_row(model):
    made = model.sample(700, seed=1).to_pandas()
    np.testing.assert_allclose(made["total"], (made["price"] * made["count"]).round(2), atol=0.006)
    np.testing.assert_allclose(made["paid"], made["total"] - made["rebate"], atol=0.006)
    assert (made["month"] == pd.to_datetime(made["on"]).dt.month).all()
    assert (made["rebate"] <= 0.5 * made["price"] * made["count"] + 1e-9).all()
    assert made["order"].str.fullmatch(r"C-\d{4}").all()
    assert made["order"].is_unique
    assert made["again"].nunique() == 2
    pd.testing.assert_frame_equal(made[:9], model.sample(9, seed=1).to_pandas())


def test_the_judge_of_broken_rules_sees_each_of_them(model, source):
    context = Context(
        source.schema, real=source, assets=source.assets, output_fields=tuple(source.schema.fields)
    )
    made = next(model.generate_items(200))
    for name, spoiled in {
        "nothing": made,
        "total": {**made, "total": made["total"] + 1},
        "paid": {**made, "paid": made["paid"] + 1},
        "month": {**made, "month": made["month"] % 12 + 1},
        "rebate": {**made, "rebate": made["rebate"] + 10**6, "paid": made["paid"] - 10**6},
        "order": {**made, "order": np.full(200, "C-12", object)},
    }.items():
        metric = BrokenRules(context)
        metric.update("generated", Batch(spoiled["price"], fields=spoiled))
        (figure,) = metric.compute()
        assert figure.value == (0 if name == "nothing" else 1), name


def test_a_computed_column_is_no_condition_and_holes_in_it_follow_from_the_rest(model):
    assert "total" not in [condition.name for condition in model.conditions]
    holes = orders()[:60].assign(total=None, paid=None)
    with pytest.warns(UserWarning, match="1 rows break the rule predicate = rebate <= 0.5"):
        filled = model.impute(holes).to_pandas()
    whole = holes["price"] * holes["count"]
    np.testing.assert_allclose(filled["total"], whole, atol=0.006)
    np.testing.assert_allclose(filled["paid"], whole - holes["rebate"], atol=0.006)
    assert filled["order"].tolist() == holes["order"].tolist(), "a filled row keeps its key"


def test_a_predicate_that_cannot_be_kept_ends_with_the_share_that_breaks_it():
    frame = pd.DataFrame({"a": [1, 2] * 50, "b": [3, 4] * 50})
    raw = of_frame(frame)
    rules = ({"predicate": "a > b"},)
    with pytest.warns(UserWarning, match="100 predicate = a > b"):
        source = table_source(raw, Description().of(raw)[0], rules=rules)
    model = TableMarginals(MarginalsConfig(), source.schema)
    model.fit(source, verbose=False)
    with pytest.raises(UsageError, match=r"predicate = a > b; 100.0% of the rows drawn") as told:
        model.sample(5)
    assert "\n" not in str(told.value)


NUMBERS = {
    "a": np.array([1.0, 2.0, 0.1]),
    "b": np.array([4.0, 0.0, 0.2]),
    "per-week": np.ma.MaskedArray([1.0, 3.0, 3.0], [True, False, False]),
}


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("a < b", [False, True, False]),
        ("a + b == 0.3", [True, True, False]),  # but for rounding
        ("a + b != 0.3", [False, False, True]),
        ("-a * 2 + b >= 1 - 3", [False, True, False]),
        ("b - a - 1 > 1e0", [False, True, True]),
        ("6 / a / 2 <= 3", [False, False, True]),
        ("1 / b < 1", [False, False, True]),  # no row breaks it by a division by zero
        ('"per-week" > a', [False, False, False]),  # nor where a number is missing
    ],
)
def test_predicates_are_read_as_sums_of_products(text, broken):
    class Number:
        def __init__(self, name):
            self.name = name

    found = Predicate.parse(text).broken(NUMBERS, {name: Number(name) for name in NUMBERS})
    assert found.tolist() == broken


@pytest.mark.parametrize(
    "text",
    ["", "a", "a <", "< a", "a < b < c", "a b < c", "a + < b", "(a) < b", "a = b", "a ** 2 < b",
     "__import__('os') < 1", "a < b; c", 'a < "b', "a < b" + " + b" * 400],
)  # fmt: skip
def test_what_is_no_predicate_is_refused_in_one_line(text):
    with pytest.raises(DataError, match="predicate") as refused:
        Predicate.parse(text)
    assert "\n" not in str(refused.value)


def test_formats_are_text_with_places_in_braces():
    assert pattern_of_format("C-{000}{Aa}".replace("{Aa}", "{AA}")) == "\\C\\-###AA"
    assert pattern_of_format("{aa}") == "aa"
    for form in ("", "C-000", "{}", "{0", "0}", "{0A}", "{[0-9]+}", "}0{", "{{0}}"):
        with pytest.raises(DataError, match=r"format such as 'C-\{000000\}'"):
            pattern_of_format(form)


@pytest.mark.parametrize(
    "rule",
    [
        {"computed": "a"},
        {"computed": "a", "sum": ["a", "b"]},  # of itself
        {"computed": "a", "sum": ["c", "b"]},  # of one that follows later
        {"computed": "a", "power": ["b", "d"]},
        {"computed": "a", "ratio": ["b", "d", "b"]},
        {"computed": "a", "part": ["b", "century"]},
        {"computed": "z", "sum": ["b", "d"]},
        {"predicate": "a < z"},
        {"predicate": "1 < 2"},
        {"predicate": 5},
        {"regex": "a"},
        {"order": ["a", "b"], "together": ["a", "b"]},
    ],
)
def test_rules_of_another_form_are_refused(rule):
    with pytest.raises(DataError, match="Expected"):
        check_rules([rule, {"computed": "c", "sum": ["b", "d"]}], ["a", "b", "c", "d"])


def test_a_rule_of_names_where_numbers_are_due_is_refused(source, model):
    for rule, told in (
        ({"predicate": "on < 5"}, "Expected numbers"),
        ({"computed": "total", "sum": ["price", "on"]}, "Expected a number"),
        ({"computed": "month", "part": ["price", "month"]}, "Expected a datetime"),
    ):
        with pytest.raises(DataError, match=told):
            Rules([rule], model.learned, {})


def test_parts_of_dates_before_and_after_the_epoch():
    dates = np.array(["1969-12-31T23", "2024-02-29T05"], "datetime64[h]")

    class Of:
        name = "at"

    for part, wanted in {
        "year": [1969, 2024], "month": [12, 2], "day": [31, 29], "weekday": [3, 4], "hour": [23, 5],
    }.items():  # fmt: skip
        found, _ = Computed(Of, "part", (Of,), part)._computed({"at": dates})
        assert found.tolist() == wanted, part
