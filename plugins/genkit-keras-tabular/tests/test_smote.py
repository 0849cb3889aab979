"""Rows between real rows and their neighbours, and real rows that stay where they are."""

import numpy as np
import pandas as pd
import pytest
from genkit_tabular.configs import CustomersConfig, SMOTEConfig
from genkit_tabular.datasets import open_customers
from genkit_tabular.describing import Description
from genkit_tabular.models.smote import TableSMOTE
from genkit_tabular.raw import of_frame
from genkit_tabular.source import table_source

import genkit
from genkit.errors import UsageError

K = 5


def flowers():
    """Two classes of 200 and 40 rows, apart in their numbers, with names, dates and gaps."""
    rng = np.random.default_rng(0)
    rare = np.arange(240) >= 200
    size = np.where(rare, 30.0, 5.0) + rng.normal(size=240)
    frame = pd.DataFrame({
        "size": size,
        "petals": (rng.integers(4, 12, 240) + 20 * rare),
        "colour": rng.choice(["red", "blue", "white"], 240),
        "seen": np.datetime64("2024-01-01") + rng.integers(0, 365, 240),
        "weight": np.where(rng.random(240) < 0.3, np.nan, np.round(size * 3, 1)),
        "far": rng.integers(-(2**62), 2**62, 240),
        "kind": np.where(rare, "rare", "common"),
    })  # fmt: skip
    frame["seen"] = frame["seen"].astype("datetime64[s]")
    return frame


@pytest.fixture(scope="module")
def model():
    raw = of_frame(flowers())
    source = table_source(raw, Description().of(raw)[0], target="kind")
    made = TableSMOTE(SMOTEConfig(neighbours=K), source.schema)
    made.fit(source, verbose=False)
    return made


def test_a_neighbour_is_of_the_same_class_and_among_the_nearest(model):
    real, near = flowers(), np.asarray(model.row_near)
    kind = real["kind"].to_numpy()
    assert (kind[near] == kind[:, None]).all()
    assert (near != np.arange(240)[:, None]).all()
    # SMOTE-NC's distance, written anew: standard deviations, and 1 for what differs.
    far = np.zeros((240, 240))
    for name, column in real.items():
        if name in ("colour", "kind"):
            own = column.to_numpy()
            far += own[:, None] != own[None]
            continue
        values = column.astype("int64" if name == "seen" else "float64").to_numpy(float)
        values = (values - np.nanmean(values)) / np.nanstd(values)
        gaps = np.isnan(values)
        values = np.where(gaps, 0, values)
        far += (values[:, None] - values[None]) ** 2 + (gaps[:, None] != gaps[None])
    far = np.where(kind[:, None] == kind[None], far, np.inf)
    np.fill_diagonal(far, np.inf)
    nearest = np.sort(far, axis=1)[:, :K]
    found = np.take_along_axis(far, near, axis=1)
    np.testing.assert_allclose(found, nearest, rtol=1e-3)


def test_numbers_lie_between_a_row_and_a_neighbour_and_categories_are_most_neighbours(model):
    real, near = flowers(), np.asarray(model.row_near)
    made = model.sample(300, seed=3)
    numbers = ["size", "petals", "seen", "weight", "far"]
    values = {name: real[name].to_numpy() for name in numbers}
    pairs = np.array([(row, other) for row in range(240) for other in near[row]])
    most = {
        name: [real[name].to_numpy()[near[row]].tolist() for row in range(240)]
        for name in ("colour", "kind")
    }
    for _, row in made.iterrows():
        fits = np.ones(len(pairs), bool)
        for name in numbers:
            first, second = values[name][pairs[:, 0]], values[name][pairs[:, 1]]
            gap = pd.isna(first)
            second = np.where(pd.isna(second), first, second)
            if pd.isna(row[name]):
                fits &= gap
                continue
            own = np.asarray(row[name], values[name].dtype)
            fits &= ~gap & (np.minimum(first, second) <= own) & (own <= np.maximum(first, second))
        for name, names in most.items():
            counts = [each.count(row[name]) == max(map(each.count, each)) for each in names]
            fits &= np.array(counts)[pairs[:, 0]]
        assert fits.any(), row
    moved = ~made["size"].isin(real["size"])
    assert moved.mean() > 0.9, "rows lie between, they are no copies"


def test_rows_have_what_is_asked_and_come_from_those_that_have_it(model):
    made = model.sample(200, given={"kind": "rare"})
    assert (made["kind"] == "rare").all()
    assert made["size"].min() > 20
    made = model.sample(
        200, given={"petals": "5:7", "colour": "red", "weight": ["null", "10:12"] * 100}
    )
    assert made["petals"].between(5, 7).all()
    assert (made["colour"] == "red").all()
    assert made["weight"][0::2].isna().all()
    assert made["weight"][1::2].between(10, 12).all()
    assert (made["kind"] == "common").mean() > 0.95
    few = model.sample(3, seed=5, given={"kind": "rare"})
    pd.testing.assert_frame_equal(few, model.sample(1100, seed=5, given={"kind": "rare"})[:3])


def test_holes_are_filled_from_the_rows_that_have_the_rest(model):
    holes = flowers().assign(kind=None)
    filled = model.impute(holes)
    assert (filled["kind"] == flowers()["kind"]).mean() > 0.95
    pd.testing.assert_series_equal(filled["petals"], flowers()["petals"])


def test_a_class_of_one_row_and_a_single_row_are_their_own_neighbours():
    frame = pd.DataFrame({"x": [1.0, 2.0, 9.0], "kind": ["a", "a", "b"]})
    raw = of_frame(frame)
    source = table_source(raw, Description().of(raw)[0], target="kind")
    lonely = TableSMOTE(SMOTEConfig(), source.schema)
    lonely.fit(source, verbose=False)
    made = lonely.sample(50)
    assert (made["x"][made["kind"] == "b"] == 9).all()
    assert made["x"][made["kind"] == "a"].between(1, 2).all()


def test_real_rows_stay_in_the_run_and_its_card_says_so(tmp_path):
    source = open_customers(CustomersConfig(n=60))
    run = genkit.train("tab-smote", dataset=source, runs_dir=tmp_path, verbose=False).path
    model = genkit.load(run)
    assert len(model.generate(5)["age"]) == 5
    with pytest.raises(UsageError, match="'tab-smote' are items of its data") as refused:
        genkit.save(model, tmp_path / "copy")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "copy").exists()
    assert not (run / "model" / "weights.safetensors").exists()
    card = (run / "model" / "README.md").read_text(encoding="utf-8")
    assert "It keeps items of its data as they were" in card
    assert "genkit.load(run)" in card
