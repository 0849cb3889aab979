"""Do generated rows help a classifier: the subset, the arms, what is measured, what is written."""

import json

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.configs import CustomersConfig, TableConfig
from genkit_tabular.datasets import open_customers, open_table
from genkit_tabular.judges.table_learner import TableLearner, rows_between
from genkit_tabular.labels import ABSENT, KEYS, LABEL, LabelledRows
from pyarrow import parquet

import genkit
from genkit.data import ArraySource, rows_per_class
from genkit.errors import UsageError

PER_CLASS, RATIO = 20, 2
NAMES = ("good", "bad")  # the most frequent first, as classes are numbered


def credit(n=400):
    """A book of credits: bad ones are of late payers who owe much."""
    rng = np.random.default_rng(0)
    late, owed = rng.poisson(1, n), np.round(rng.lognormal(7, 0.5, n), 2)
    risk = late + owed / 1500 + rng.normal(0, 0.5, n)
    return pd.DataFrame({
        "number": np.arange(n) + 1001,
        "late": np.where(rng.random(n) < 0.1, np.nan, late),
        "owed": owed,
        "since": np.datetime64("2020-01-01") + rng.integers(0, 900, n),
        "job": rng.choice(["clerk", "smith", "cook"], n),
        "paid": np.where(risk > 2.2, "bad", "good"),
    })  # fmt: skip


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("credit") / "credit.csv"
    credit().to_csv(path, index=False)
    return {"path": str(path), "target": "paid"}


@pytest.fixture(scope="module")
def result(data, tmp_path_factory):
    """A whole augmentation by trees, with the arm of SMOTE."""
    return genkit.augment(
        "tab-cart", dataset="table", data=data, per_class=PER_CLASS, ratios=[RATIO], seeds=3,
        classifier_steps=10, out=tmp_path_factory.mktemp("out") / "credit", verbose=False,
    )  # fmt: skip


def opened(data, **changes):
    return open_table(TableConfig(**data, **changes))


def all_of(source):
    return source.gather(np.arange(len(source)))


def test_the_verdict_is_on_auc_and_macro_f1_stands_beside(result):
    told = result.summary
    assert told["verdict"]["answer"] in ("helps", "hurts", "can't tell")
    assert "points of AUC" in told["verdict"]["sentence"]
    assert [row["arm"] for row in told["table"]] == [
        "real", "real+classical", "synthetic", "real+synthetic", "all",
    ]  # fmt: skip
    assert told["table"][0]["AUC"] > 0.75, "what is late and owed tells it"
    assert set(told["also"]) == {"macro-F1"}
    asked = json.loads((result.folder / "settings.json").read_text())
    assert asked["classical"] == ["smote"]
    assert asked["generator"]["steps"] is None, "trees take no steps"


def test_generator_and_classifier_see_the_same_rows_and_no_others(data, result):
    train = all_of(opened(data))
    labels, subsets = train["paid"], []
    for seed in range(3):
        drawn = opened(data, per_class=PER_CLASS, subset=seed)
        rows = rows_per_class(labels, 2, PER_CLASS, 0, seed)
        np.testing.assert_array_equal(all_of(drawn)["number"], train["number"][rows])
        codes = drawn.codecs["owed"]
        assert codes.low[0] == round(train["owed"][rows].min() * 100), "codes of these rows alone"
        subsets.append(set(rows))
    assert len(set.union(*subsets)) == 3 * 2 * PER_CLASS
    lines = (result.folder / "mixed" / "metadata.jsonl").read_text().splitlines()
    real = [json.loads(line) for line in lines if '"real"' in line]
    assert {line["index"] for line in real} == subsets[0]


def test_the_mixed_table_has_real_rows_as_they_are_and_made_ones_of_their_class(data, result):
    mixed = parquet.read_table(result.folder / "mixed" / "rows.parquet").to_pandas()
    lines = [
        json.loads(line)
        for line in (result.folder / "mixed" / "metadata.jsonl").read_text().splitlines()
    ]
    assert [line["row"] for line in lines] == list(range(len(mixed)))
    assert list(mixed) == ["late", "owed", "since", "job", "paid"], "keys stand for real people"
    frame, train = credit().set_index("number"), all_of(opened(data))
    real = [line for line in lines if line["origin"] == "real"]
    assert len(real) == 2 * PER_CLASS
    for line in real:
        row, wanted = mixed.loc[line["row"]], frame.loc[train["number"][line["index"]]]
        assert (row["owed"], row["job"], row["paid"]) == tuple(wanted[["owed", "job", "paid"]])
        np.testing.assert_equal(float(row["late"]), wanted["late"])
        assert pd.Timestamp(row["since"]) == wanted["since"]
    made = mixed[2 * PER_CLASS :]
    assert made["paid"].tolist() == list(NAMES) * (RATIO * PER_CLASS)
    model = genkit.load(result.folder / "generators" / "seed-0")
    again = model.sample(len(made), given={"paid": list(NAMES) * (RATIO * PER_CLASS)}).to_pandas()
    assert made["owed"].tolist() == again["owed"].tolist()
    assert {line["run"] for line in lines[2 * PER_CLASS :]} == {"generators/seed-0"}


def test_smote_learns_from_rows_between_those_of_a_class(data):
    view = LabelledRows(opened(data, per_class=PER_CLASS))
    items = all_of(view)
    made = rows_between(view.judged, items[KEYS], items[ABSENT], 0)
    real = view.judged.numbers(items[KEYS], items[ABSENT])
    assert made.shape == real.shape
    owed = [each.name for each in view.judged.learned].index("owed")
    assert not set(made[:, owed]) & set(real[:, owed])
    for label in (0, 1):
        own = real[real[:, -1] == label, owed]
        between = made[made[:, -1] == label, owed]
        assert len(between) > 0
        assert own.min() < between.min()
        assert between.max() < own.max()
    learner = TableLearner(view.schema, view.assets)
    source = ArraySource(items, view.schema)
    plain, more = (learner.train(source, c, steps=3, seed=0)[0] for c in ((), ("smote",)))
    counts = [trees._predictors[0][0].nodes["count"][0] for trees in (plain, more)]
    assert counts == [2 * PER_CLASS, 4 * PER_CLASS]


def test_rows_known_by_heart_score_full_and_shuffled_ones_by_chance():
    view = LabelledRows(open_customers(CustomersConfig(n=300)))
    learner = TableLearner(view.schema, view.assets)
    source = ArraySource(all_of(view), view.schema)
    trees, signal = learner.train(source, (), steps=100, seed=0)
    assert signal == 0
    assert min(learner.scores(trees, view)) > 0.98, "the rows that it learned from"
    mixed = dict(source.arrays)
    mixed[KEYS] = mixed[KEYS][np.random.default_rng(0).permutation(300)]
    mixed[ABSENT] = np.zeros_like(mixed[ABSENT])
    shuffled = ArraySource({**mixed, LABEL: source.arrays[LABEL]}, view.schema)
    assert learner.scores(trees, shuffled)[0] == pytest.approx(0.5, abs=0.12)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"target": ""}, "with a target, whose values are the classes|received ''"),
        ({"target": "owed"}, "a category or a boolean as the target; 'owed' is a number"),
        ({"missing": ("?", "bad")}, "a target in every row; 'paid' is missing in some"),
    ],
)
def test_a_table_without_classes_says_what_to_do(data, tmp_path, changes, match):
    with pytest.raises(UsageError, match=match) as told:
        genkit.augment(
            "tab-cart",
            dataset="table",
            data={**data, **changes},
            out=tmp_path / "no",
            verbose=False,
        )
    assert told.value.hint
    with pytest.raises(UsageError, match=match):
        opened({**data, **changes}, per_class=2)
    assert not (tmp_path / "no").exists()
