"""The inputs on which other libraries fail: rows come back whole, or one line names the column."""

import datetime as dt
import decimal
import gzip
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from genkit_tabular.raw import read_file

import genkit
from genkit.errors import DataError

N = 60
MODELS = ("tab-copula", "tab-cart", "tab-ar")
ON_HOST = ("tab-marginals", "tab-copula", "tab-cart")  # which learn in a moment
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
        "took": pd.to_timedelta(np.where(gaps, None, rng.integers(0, 10**6, N)), unit="s"),
        5: rng.choice([1.25, 2.5, -0.75], N),
    })  # fmt: skip


def odder_frame():
    rng = np.random.default_rng(1)
    return pd.DataFrame({
        "money": [decimal.Decimal(f"{k % 7}.10") for k in range(N)],
        "ages": [dt.date(1600, 1, 1), dt.date(9999, 12, 31)] * (N // 2),
        "grade": pd.Categorical(rng.choice([3, 1, 2], N)),
        "half": pd.Categorical(rng.choice([0.5, 1.5], N)),
        "month": pd.Categorical(rng.choice(pd.date_range("2024-01-01", periods=3), N)),
        "formula": rng.choice(["=cmd()", "+1", "@x"], N),
        "vast": rng.choice([1e308, -1e308, 5e-324], N),
        "ends": rng.choice([2**63 - 1, -(2**63), 0], N),
        " draws": rng.choice([1, 2], N),
        "label": rng.choice(["nan", "NULL", ""], N),
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


@pytest.mark.parametrize("model", ON_HOST)
def test_odd_types_and_values_come_back_as_they_were(model, tmp_path):
    frame = odder_frame()
    made = trained(model, frame, tmp_path).sample(50)
    assert made.dtypes.to_dict() == frame.dtypes.to_dict()
    for name in frame.columns:
        assert set(made[name]) <= set(frame[name]), name
        assert {type(value) for value in made[name]} == {type(value) for value in frame[name]}, name


def test_missing_values_are_as_frequent_as_they_were(tmp_path):
    made = trained("tab-marginals", odd_frame(), tmp_path).sample(2000)
    share = odd_frame()["gaps"].isna().mean()
    assert made["gaps"].isna().mean() == pytest.approx(share, abs=0.04)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (pd.DataFrame({"v": [1.0, np.inf] * 30}), "finite numbers in 'v'"),
        (pd.DataFrame([[1, 2]] * 30, columns=["a", "a"]), "'a' occurs twice"),
        (pd.DataFrame({"v": [{"a": 1}] * 30}), "truth values in 'v'"),
        (pd.DataFrame({"v": [1, "a"] * 30}), "one kind in the column 'v'"),
        (pd.DataFrame({"v": []}), "it has no rows"),
        (pd.DataFrame({"v": np.full(60, 2**63 + 5, "uint64")}), "2\\*\\*63 in 'v'"),
        (pd.DataFrame({"v": range(60)}), "a column that a model"),
        (pd.DataFrame({"v": [1.5, None] * 30, "v_missing": 1.5}), "another name than 'v_missing'"),
        (pd.DataFrame(index=range(5)), "it has no columns"),
        (pd.DataFrame([[1, 2]] * 30, columns=[1, "1"]), "some are the same as text"),
        (pd.DataFrame([[1, 2]] * 30, columns=[("a", "b"), "c"]), r"received \('a', 'b'\)"),
        (pd.DataFrame({"v": pd.period_range("2020-01", periods=60, freq="M")}), "values in 'v'"),
        (pd.DataFrame({"v": [1 + 1j] * 60}), "one kind in the column 'v'"),
        (pd.DataFrame({"v": pd.Series(["\ud800", "b"] * 30, dtype=object)}), "in the column 'v'"),
        (pd.DataFrame({"v": [dt.time(1, 2)] * 60}), "truth values in 'v'; received time64"),
        (pd.DataFrame({"v": [b"a", b"b"] * 30}), "truth values in 'v'; received binary"),
        (pl.DataFrame({"v": [2**64] * 60}, {"v": pl.Int128}), "in 'v'; received Int128"),
        (pa.table({"v": [decimal.Decimal("12345678901234567890.1")] * 60}), "15 digits in 'v'"),
    ],
)
def test_what_is_no_table_is_told_in_one_line(model, frame, told, tmp_path):
    with pytest.raises(DataError, match=told) as refused:
        trained(model, frame, tmp_path, batch_size=16)
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
        "wide": pa.array(["1.5", "2.5"] * 30).cast(pa.decimal256(50, 2)),
        "numbered": pa.array([1, 2] * 30).dictionary_encode(),
        "nothing": pa.nulls(N),
    }
    table = pa.table(columns)
    made = trained("tab-marginals", table, tmp_path).sample(5)
    assert isinstance(made, pa.Table)
    assert made.schema.equals(table.schema)
    frame = pl.from_arrow(table.drop_columns(["wide", "numbered"])).with_columns(
        e=pl.col("d").cast(pl.Enum(["b", "a", "c"])), z=pl.lit(None)
    )
    made = trained("tab-marginals", frame, tmp_path).sample(5)
    assert isinstance(made, pl.DataFrame)
    assert made.schema == frame.schema


HEAD = "zip,formula,cell,day,card,gap,one\r\n"
LINES = (
    '00501,=cmd(),"a, ""b""\nc",1600-01-01,18446744073709551616,,Ü\r\n'
    "10001,+1-2,@x,9999-12-31,18446744073709551619,2.50,Ü\r\n"
    "\r\n"
)


@pytest.mark.parametrize("model", ON_HOST)
def test_odd_cells_of_a_file_come_back_as_they_were(model, tmp_path):
    file = tmp_path / "odd.csv"
    file.write_bytes(("\ufeff" + HEAD + LINES * 30).encode())
    data = {"path": str(file), "held_out": 0}
    made = trained(model, "table", tmp_path, data=data, batch_size=16).sample(200).to_pydict()
    assert list(made) == HEAD.strip().split(",")
    assert set(made["zip"]) == {"00501", "10001"}
    assert set(made["formula"]) == {"=cmd()", "+1-2"}
    assert set(made["cell"]) == {'a, "b"\nc', "@x"}
    assert set(made["day"]) == {dt.date(1600, 1, 1), dt.date(9999, 12, 31)}
    assert set(made["card"]) == {"18446744073709551616", "18446744073709551619"}
    assert set(made["gap"]) == {None, 2.5}
    assert set(made["one"]) == {"Ü"}


def test_an_empty_line_of_a_single_column_is_a_row_without_a_value(tmp_path):
    file = tmp_path / "one.csv"
    file.write_text("a\n" + "1\n\n2\n" * 30)
    raw = read_file(file, missing=[""])
    assert raw.rows == 90
    assert raw.columns["a"].null_count == 30


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"a,b\n", "it has no rows"),
        (b"", "Empty CSV file"),
        (b"a,b\n" + b"1,x\n" * 50 + b'2,"y\n' + b"3,z\n" * 9, "one isn't closed"),
        (b"a,b\n" + b"1,x\n" * 50 + b'"2,y\n' + b"3,z\n" * 9, "one isn't closed"),
        (b"a,b\n" + "1,ü\n".encode("latin-1") * 60, "invalid UTF8"),
        (b"a,b\n" + b"1,x\0y\n" * 60, "it is no text"),
        (b"a,a\n" + b"1,2\n" * 60, "one column 'a'"),
        (b"PAR1" + b"a" * 60, "Parquet magic bytes not found"),
        (gzip.compress(b"a,b\n" + b"1,x\n" * 6000, mtime=0)[:-20], "Truncated"),
    ],
    ids=[
        "no rows",
        "empty",
        "quote",
        "quote at once",
        "latin",
        "zero",
        "twice",
        "parquet",
        "cut off",
    ],
)
def test_files_that_are_no_tables_are_told_in_one_line(text, told, tmp_path):
    file = tmp_path / ("t.csv.gz" if text[:2] == b"\x1f\x8b" else "t.csv")
    file.write_bytes(text)
    with pytest.raises(DataError, match=told) as refused:
        read_file(file)
    assert "\n" not in str(refused.value)


def test_the_command_line_tells_in_one_line_what_is_wrong(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text('a,b\n1,x\n2,"y\n3,z\n')
    done = subprocess.run(
        [sys.executable, "-m", "genkit", "table", "inspect", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "one isn't closed" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_thousand_columns_are_too_many_for_tab_ar_and_it_says_so(tmp_path):
    frame = pd.DataFrame({f"c{k}": [0, 1] * 10 for k in range(2000)})
    with pytest.raises(DataError, match=r"fewer columns for tab-ar.* 2,000 need"):
        trained("tab-ar", frame, tmp_path, config={})


def test_of_a_hundred_thousand_names_the_rarest_share_a_code(tmp_path):
    frame = pd.DataFrame({"c": [f"n{k}" for k in range(100_000)] * 2, "d": [1, 2] * 100_000})
    with pytest.warns(UserWarning, match="99,001 rarest share a code"):
        model = trained("tab-copula", frame, tmp_path)
    assert model.sizes == [1000, 2]
    assert set(model.sample(50)["c"]) <= set(frame["c"])
