"""Times in tables from the world: as numbers, in ISO 8601, in Parquet, in any zone."""

import datetime as dt
import time

import pyarrow as pa
import pytest
from data import write
from genkit_recsys.data_settings import OwnConfig
from genkit_recsys.datasets import open_own
from genkit_recsys.reading import Columns, EventReader
from genkit_recsys.times import is_iso, seconds
from pyarrow import parquet

from genkit.errors import DataError
from genkit.plugins.config import parse

UTC = dt.UTC
HEAD = ("user_id", "item_id")


def opened(path, **settings):
    return open_own(parse(OwnConfig, {"path": str(path), "split": "all", **settings}, "data"))


def times_of(path, column="t"):
    reader = EventReader(Columns("user_id", "item_id", "", column))
    reader.read(path)
    return reader.events().time.tolist()


NEW_YEAR = 1577836800.0
TIMES = {
    "2020-01-01": NEW_YEAR,
    "2020-01-01T00:00:00": NEW_YEAR,
    "2020-01-01 00:00": NEW_YEAR,
    "2020-01-01T00:00:00Z": NEW_YEAR,
    "2020-01-01 00:00:00 UTC": NEW_YEAR,
    "2020-01-01T02:00:00+02:00": NEW_YEAR,
    "2019-12-31 19:00:00-05": NEW_YEAR,
    "2020-01-01T00:00:00.250": NEW_YEAR + 0.25,
    "2020-01-01T00:00:00.250000000Z": NEW_YEAR + 0.25,
    "20200101T000000Z": NEW_YEAR,
    "2020-W01-3": NEW_YEAR,
    " 2020-01-01 ": NEW_YEAR,
    "1969-12-31T23:59:59Z": -1.0,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_in_iso_8601_is_seconds_since_1970(tmp_path, text):
    file = write(tmp_path / "a.csv", [("u", "i", text), ("u", "j", "2021-06-01")], (*HEAD, "t"))
    assert times_of(file) == [TIMES[text], 1622505600.0]
    assert is_iso(text)


NO_TIMES = ["01/02/2020", "31.01.2020", "2020-13-01", "10:15", "yesterday", "", "nan", "Jan 1 2020"]


@pytest.mark.parametrize("text", NO_TIMES)
def test_what_is_no_time_is_counted_and_most_of_it_refused(tmp_path, text):
    table = [("u", "i", "2020-01-01"), ("u", "j", "2020-01-02"), ("u", "k", text)]
    reader = EventReader(Columns("user_id", "item_id", "", "t"))
    reader.read(write(tmp_path / "a.csv", table, (*HEAD, "t")))
    (note,) = reader.events().reading.notes
    assert "1 with no time as t" in note
    assert f"line 4: expected a time such as 2020-01-31 as t; received {text!r}" in note
    with pytest.raises(DataError, match="2 with no time as t") as caught:
        reader.read(write(tmp_path / "b.csv", [("u", "i", text)] * 2, (*HEAD, "t")))
    assert "2020-01-31T10:15:00Z" in caught.value.hint


@pytest.mark.parametrize("first", ["2020-01-01", "1577836800"])
def test_numbers_and_iso_times_do_not_mix_in_a_file(tmp_path, first):
    other = {"2020-01-01": " 20200102", "1577836800": "2020-01-02"}[first]
    table = [("u", "i", first), ("u", "j", first), ("u", "k", other)]
    reader = EventReader(Columns("user_id", "item_id", "", "t"))
    reader.read(write(tmp_path / "a.csv", table, (*HEAD, "t")))
    assert reader.events().time.tolist() == [NEW_YEAR, NEW_YEAR]


@pytest.fixture(params=["UTC", "America/New_York", "Asia/Kolkata"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


LOCAL = [dt.datetime(2020, 3, 8, 2, 30), dt.datetime(2020, 3, 8, 3, 10)]  # noqa: DTZ001
WANTED = [1583634600.0, 1583637000.0]


@pytest.mark.parametrize(
    ("values", "kind", "wanted"),
    [
        (LOCAL, pa.timestamp("us"), WANTED),
        (LOCAL, pa.timestamp("s"), WANTED),
        (LOCAL, pa.timestamp("ns"), WANTED),
        ([each.replace(tzinfo=UTC) for each in LOCAL], pa.timestamp("ms", "UTC"), WANTED),
        ([each.replace(tzinfo=UTC) for each in LOCAL], pa.timestamp("ms", "Asia/Tokyo"), WANTED),
        ([dt.date(2020, 1, 1)] * 2, pa.date32(), [NEW_YEAR] * 2),
        ([dt.date(2020, 1, 1)] * 2, pa.date64(), [NEW_YEAR] * 2),
        ([5, 6], pa.int64(), [5.0, 6.0]),
        ([5.5, 6.0], pa.float64(), [5.5, 6.0]),
        (["2020-03-08T02:30:00", "2020-03-08T03:10:00"], pa.string(), WANTED),
        (["2020-03-08 02:30:00", "2020-03-08 03:10:00"], pa.large_string(), WANTED),
    ],
)
def test_times_of_parquet_do_not_depend_on_the_machines_zone(tmp_path, zone, values, kind, wanted):
    table = pa.table({"user_id": ["a"] * 2, "item_id": ["x", "y"], "t": pa.array(values, kind)})
    parquet.write_table(table, tmp_path / "a.parquet")
    assert times_of(tmp_path / "a.parquet") == wanted


def test_times_of_text_do_not_depend_on_the_machines_zone(zone):
    assert [seconds("2020-03-08 02:30"), seconds("2020-03-08T03:10")] == WANTED


def test_a_parquet_column_that_is_no_text_or_number_is_refused(tmp_path):
    table = pa.table({"user_id": [["a"], ["b"]], "item_id": ["x", "y"]})
    parquet.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"text or numbers as 'user_id' .* list"):
        opened(tmp_path / "a.parquet")


# Ids of the items here and there, and what is said of them.
