"""The inputs on which other libraries fail: rows come back whole, or one line names the column."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import genkit
from genkit.errors import DataError

N = 60
MODELS = ("tab-marginals", "tab-cart", "tab-ar")
FEW = {"tab-ar": {"steps": 2, "config": {"hidden": 4, "embedding": 2}}}


def trained(model, frame, tmp_path, **more):
    rows = min(16, len(frame))
    result = genkit.train(
        model,
        dataset=frame,
        runs_dir=tmp_path,
        name=f"run-{len(list(tmp_path.iterdir()))}",
        verbose=False,
        **{"batch_size": rows, **FEW.get(model, {}), **more},
    )
    return genkit.load(result)


def odd_frame():
    rng = np.random.default_rng(0)
    gaps = rng.random(N) < 0.2
    integers = pd.array(rng.integers(-5, 5, N), "Int64")
    integers[gaps] = pd.NA
    truths = pd.array(rng.random(N) < 0.5, "boolean")
    truths[gaps] = pd.NA
    large = rng.permutation(2**53 + 1 + 2 * np.arange(N)) + rng.integers(0, 2, N)
    spring = pd.date_range("2024-03-30 22:00", periods=N, freq="h", tz="Europe/Berlin")
    return pd.DataFrame({
        "x": rng.normal(size=N),
        "c": rng.choice(["a", "b"], N),
        "nothing": np.full(N, np.nan),
        "gaps": np.where(gaps, np.nan, rng.normal(size=N)),
        "whole": integers,
        "large": large,
        "spring": spring,
        "same": np.full(N, 1.0),
        "zeros": np.where(np.arange(N) == 7, -0.0, 0.0),
        "byte": rng.integers(0, 255, N).astype("uint8"),
        "truth": truths,
        "Größe ☃": pd.Categorical(rng.choice(["klein", "groß, ja", 'sehr "groß"\n'], N)),
        "size": pd.Categorical(rng.choice(["s", "m"], N), ["s", "m", "l"], ordered=True),
        "one": np.full(N, "only"),
        "zip": rng.choice(["00501", "10001"], N),
        "small": rng.normal(size=N).astype("float32"),
        "took": pd.to_timedelta(rng.integers(0, 10**6, N), unit="s"),
        5: rng.choice([1.25, 2.5, -0.75], N),
    })  # fmt: skip


@pytest.mark.parametrize("model", MODELS)
def test_odd_columns_come_back_with_their_names_order_dtypes_and_values(model, tmp_path):
    frame = odd_frame()
    made = trained(model, frame, tmp_path).sample(7)
    assert list(made.columns) == list(frame.columns)
    assert made.dtypes.to_list() == frame.dtypes.to_list()
    assert len(made) == 7
    assert made["nothing"].isna().all()
    for name in ("c", "byte", "Größe ☃", "one", "zip", "large", 5):
        assert set(made[name].dropna()) <= set(frame[name].dropna()), name
    assert (made["same"] == 1.0).all()
    assert (made["zeros"] == 0.0).all()
    for name in ("x", "small", "spring", "took", "whole"):
        there = made[name].dropna()
        assert there.between(frame[name].min(), frame[name].max()).all(), name
    for name in ("c", "large", "x", "byte", "zip"):
        assert made[name].notna().all(), "nothing is missing where nothing was"


def test_missing_values_are_as_frequent_as_they_were(tmp_path):
    made = trained("tab-marginals", odd_frame(), tmp_path).sample(2000)
    share = odd_frame()["gaps"].isna().mean()
    assert made["gaps"].isna().mean() == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"v": [1.0, np.inf] * 30}), "finite numbers in 'v'"),
        (pd.DataFrame([[1, 2]] * 30, columns=["a", "a"]), "'a' occurs twice"),
        (pd.DataFrame({"v": [{"a": 1}] * 30}), "truth values in 'v'"),
        (pd.DataFrame({"v": [1, "a"] * 30}), "one kind in the column 'v'"),
        (pd.DataFrame({"v": []}), "it has no rows"),
        (pd.DataFrame({"v": np.full(60, 2**63 + 5, "uint64")}), "2\\*\\*63 in 'v'"),
        (pd.DataFrame({"v": range(60), "v_missing": 1.5, "w": 1}), "a column that a model"),
    ],
)
def test_what_is_no_table_is_told_in_one_line(frame, told, tmp_path):
    if "w" in frame:
        frame = frame[["v"]]
    with pytest.raises(DataError, match=told) as refused:
        trained("tab-marginals", frame, tmp_path)
    assert "\n" not in str(refused.value)


def test_one_row_is_too_few_where_some_are_held_out_for_early_stopping(tmp_path):
    with pytest.raises(DataError, match="two items or more to hold one out"):
        trained("tab-ar", pd.DataFrame({"a": [3]}), tmp_path)


@pytest.mark.parametrize("model", MODELS[:2])
def test_one_row_is_learned_by_heart(model, tmp_path):
    frame = pd.DataFrame({"a": [3], "b": ["x"]})
    made = trained(model, frame, tmp_path).sample(7)
    pd.testing.assert_frame_equal(made, pd.concat([frame] * 7, ignore_index=True))


def test_frames_of_polars_and_arrow_come_back_as_such(tmp_path):
    day = np.datetime64("1600-01-01") + np.arange(N) * 40_000
    columns = {
        "n": pa.array(np.arange(N) % 7, pa.int16()),
        "d": pa.array([None, "a", "b"] * 20),
        "t": pa.array(day.astype("datetime64[D]")),
        "money": pa.array([None] + [f"{k}.10" for k in range(N - 1)]).cast(pa.decimal128(9, 2)),
    }
    table = pa.table(columns)
    made = trained("tab-marginals", table, tmp_path).sample(5)
    assert isinstance(made, pa.Table)
    assert made.schema.equals(table.schema)
    frame = pl.from_arrow(table.drop_columns("money"))
    made = trained("tab-marginals", frame, tmp_path).sample(5)
    assert isinstance(made, pl.DataFrame)
    assert made.schema == frame.schema
