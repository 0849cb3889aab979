"""Tables from the world: ids that are missing or don't meet, and forms of files."""

import datetime as dt
import gzip
import math
import re

import numpy as np
import pyarrow as pa
import pytest
from data import write
from genkit_recsys.data_settings import OwnConfig
from genkit_recsys.datasets import open_own
from genkit_recsys.reading import Columns, EventReader
from pyarrow import parquet
from small import build

from genkit.errors import DataError
from genkit.plugins.config import parse

USERS, ITEMS = 12, 6
UTC = dt.UTC
PAIRS = [(str(user), str(item)) for user in range(USERS) for item in range(ITEMS)]
HEAD = ("user_id", "item_id")


def opened(path, **settings):
    return open_own(parse(OwnConfig, {"path": str(path), "split": "all", **settings}, "data"))


MISSING = ["", "  ", "NaN", "nan", "NULL", "null", "None", "<NA>", "N/A", "NaT", "\\N", "undefined"]


@pytest.mark.parametrize("nothing", MISSING)
@pytest.mark.parametrize("column", [0, 1])
def test_a_missing_id_is_no_id_and_is_counted(tmp_path, capsys, column, nothing):
    table = [list(pair) for pair in PAIRS]
    for row in table[::4]:
        row[column] = nothing
    source = opened(write(tmp_path / "a.csv", table, HEAD))
    assert source.skipped == len(table[::4])
    assert source.left_out == {"no user or no item": source.skipped}
    assert nothing not in source.ids[column]
    told = capsys.readouterr().err
    assert "18 of 72 rows are malformed and left out, 18 with no user or no item" in told
    assert "a.csv line 2: expected a user and an item" in told


@pytest.mark.parametrize(
    "users", [[None, "1", "2"], [math.nan, 1.0, 2.0], ["NaN", "1", "2"], [None, b"1", b"2"]]
)
def test_a_missing_id_in_parquet_is_no_id(tmp_path, capsys, users):
    table = pa.table({"user_id": users * 2, "item_id": [1, 2, 3, 4, 5, 6]})
    parquet.write_table(table, tmp_path / "a.parquet")
    source = opened(tmp_path / "a.parquet")
    assert source.skipped == 2
    assert {name.removesuffix(".0") for name in source.ids[0]} == {"1", "2"}
    assert "a.parquet row 1: expected a user and an item" in capsys.readouterr().err


JOINS = {
    "floats": ("{}.0", "{}", "0 of 6 items are in t.csv: ids there look like '0', here '0.0'."),
    "floats there": (
        "{}",
        "{}.0",
        "0 of 6 items are in t.csv: ids there look like '0.0', here '0'.",
    ),
    "zeros in front": ("{}", "00{}", "0 of 6 .* there look like '000', here '0'"),
    "blanks": ("{}", " {}", "0 of 6 .* there look like ' 0', here '0'"),
    "capitals": ("a{}", "A{}", "0 of 6 .* there look like 'A0', here 'a0'"),
    "an exponent": ("{}e0", "{}", "0 of 6 .* there look like '0', here '0e0'"),
    "other words": ("{}", "item {}", "0 of 6 .* there look like 'item 0', here '0'"),
    "a sign": ("+{}", "{}", "0 of 6 .* there look like '0', here '\\+0'"),
    "the same": ("{}", "{}", ""),
    "the same words": ("item {}", "item {}", ""),
}


@pytest.mark.parametrize("case", JOINS)
def test_ids_that_meet_nothing_are_told_in_one_line_with_both_forms(tmp_path, capsys, case):
    here, there, told = JOINS[case]
    a = write(tmp_path / "a.csv", [(u, here.format(i)) for u, i in PAIRS], HEAD)
    titles = [(there.format(i), f"Film {i}") for i in range(ITEMS)]
    t = write(tmp_path / "t.csv", titles, ("item_id", "title"))
    source = opened(a, items_path=str(t), title_column="title")
    said = capsys.readouterr().err
    if told:
        assert said.count("\n") == 1
        assert re.search(told, said), said
        assert source.archive.titles[0] == source.archive.items[0]
    else:
        assert said == ""
        assert source.archive.titles[0] == "Film 0"


def test_titles_for_a_few_items_are_told_of_and_for_most_are_not(tmp_path, capsys):
    a = write(tmp_path / "a.csv", PAIRS, HEAD)
    for count, told in ((2, "2 of 6 items are in t.csv.\n"), (4, "")):
        titles = [(i, f"Film {i}") for i in range(count)]
        t = write(tmp_path / "t.csv", titles, ("item_id", "title"))
        opened(a, items_path=str(t), title_column="title")
        assert capsys.readouterr().err == told


def test_users_that_a_file_does_not_name_and_test_events_of_strangers_are_told_of(tmp_path, capsys):
    a = write(tmp_path / "a.csv", PAIRS[:-1], HEAD)
    users = write(tmp_path / "u.csv", [(f"{u}.0",) for u in range(USERS)], ("user_id",))
    with pytest.raises(DataError, match=r"0 of 12 users .* look like '0\.0', here '0'"):
        opened(a, users_path=str(users))
    test = write(tmp_path / "test.csv", [(f"{u}.0", f"i{i}") for u, i in PAIRS], HEAD)
    opened(a, test_path=str(test))
    said = capsys.readouterr().err
    assert "0 of 12 users of test.csv are in the training file" in said
    assert "ids there look like '0', here '0.0'" in said
    assert "0 of 6 items of test.csv are in the training file" in said
    opened(a, test_path=str(test), protocol="users")
    assert "users of test.csv" not in capsys.readouterr().err


def test_weights_of_a_run_whose_ids_meet_nothing_are_not_taken_by_number(tmp_path, capsys):
    old = opened(write(tmp_path / "old.csv", PAIRS, HEAD))
    new = opened(write(tmp_path / "new.csv", [(f"{u}.0", f"{i}.0") for u, i in PAIRS], HEAD))
    model = build("bpr", new.schema)
    model.bind(new.schema, new.assets)
    name = {whose: name for name, (_, whose) in model.rows.items()}
    ours, theirs = np.zeros((USERS, 8)), np.ones((USERS, 8))
    assert model.adopt(name["users"], ours, theirs, old.assets) is ours
    assert "0 of 12 users are in the data" in capsys.readouterr().err
    with pytest.raises(DataError, match=r"0 of 6 items .* look like '0', here '0\.0'"):
        model.adopt(name["items"], ours[:6], theirs[:6], old.assets)


def test_of_a_file_of_items_all_that_is_left_out_is_counted_and_told(tmp_path, capsys):
    a = write(tmp_path / "a.csv", PAIRS, HEAD)
    text = 'item_id,title\n0,A\n1,B\n1,Other\n2,Film, The\n3,"open\n4,D\nNaN,E\n5,F\n'
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    source = opened(a, items_path=str(tmp_path / "t.csv"), title_column="title")
    assert source.archive.titles == ["A", "Other", "2", "3", "D", "F"]
    said = capsys.readouterr().err
    assert "3 of 8 rows are malformed and left out" in said
    assert "t.csv line 5: expected 2 cells; received 3, '2,Film, The'" in said
    assert "t.csv line 6: expected the end of a quoted cell" in said
    assert "t.csv line 8: expected an item; received 'NaN'" in said
    assert "1 items stand in t.csv several times" in said


TABLE = "user_id,item_id,time\n" + "\n".join(
    f"{user},{item},2020-01-{int(item) + 1:02d}T00:00:00Z" for user, item in PAIRS
)
FORMS = {
    "a.csv": TABLE.encode(),
    "a.csv.gz": gzip.compress(TABLE.encode()),
    "a.tsv.gz": gzip.compress(TABLE.replace(",", "\t").encode()),
    "utf-16.csv": TABLE.encode("utf-16"),
    "semicolons.csv": TABLE.replace(",", ";").encode(),
    "a.TSV": TABLE.replace(",", "\t").encode(),
    "a.txt": TABLE.replace(",", "|").encode(),
    "tabs.dat": TABLE.replace(",", "\t").encode(),
    "a": TABLE.replace(",", " ").encode(),
    "comments.csv": f"# of 2020\n\n{TABLE}\n# end\n".encode(),
}


@pytest.mark.parametrize("name", FORMS)
def test_interactions_are_read_alike_in_any_form(tmp_path, capsys, name):
    (tmp_path / name).write_bytes(FORMS[name])
    source = opened(tmp_path / name, time_column="time")
    (tmp_path / "same.csv").write_text(TABLE, encoding="utf-8")
    same = opened(tmp_path / "same.csv", time_column="time")
    assert source.fingerprint() == same.fingerprint()
    assert source.skipped == 0
    assert capsys.readouterr().err == ""


def test_latin_1_and_a_wrong_delimiter_without_a_head_are_refused_with_the_setting(tmp_path):
    (tmp_path / "a.csv").write_bytes(TABLE.replace("11,", "é,").encode("latin-1"))
    with pytest.raises(DataError, match="as UTF-8") as caught:
        opened(tmp_path / "a.csv")
    assert "--data encoding=latin-1" in caught.value.hint
    assert "é" in opened(tmp_path / "a.csv", encoding="latin-1").ids[0]
    bare = write(tmp_path / "b.csv", PAIRS, None, ";")
    numbers = {"user_column": "0", "item_column": "1"}
    with pytest.raises(DataError, match="first row has 1") as caught:
        opened(bare, **numbers)
    assert "--data delimiter=';'" in caught.value.hint
    assert len(opened(bare, delimiter=";", **numbers).histories.items) == 72


def test_decimal_commas_are_refused_with_what_to_do(tmp_path):
    head, table = (*HEAD, "rating"), [(u, i, "3,5") for u, i in PAIRS]
    wide = "\n".join(",".join(row) for row in [head, *table])
    (tmp_path / "a.csv").write_text(wide, encoding="utf-8")
    with pytest.raises(DataError, match=r"72 of its 72 rows .* another number of cells") as caught:
        opened(tmp_path / "a.csv", rating_column="rating")
    assert "delimiter" in caught.value.hint
    parted = write(tmp_path / "b.csv", table, head, ";")
    with pytest.raises(DataError, match=r"72 with no number as rating.*'3,5'") as caught:
        opened(parted, rating_column="rating")
    assert "decimal point" in caught.value.hint


def test_a_head_that_is_read_as_a_row_is_told_of(tmp_path, capsys):
    numbers = {"user_column": "0", "item_column": "1"}
    opened(write(tmp_path / "a.csv", PAIRS, HEAD), **numbers)
    assert "first user, 'user_id', and the first item, 'item_id'" in capsys.readouterr().err
    opened(write(tmp_path / "b.csv", PAIRS, None), **numbers)
    opened(write(tmp_path / "c.csv", [(f"u{u}", f"i{i}") for u, i in PAIRS], HEAD))
    assert capsys.readouterr().err == ""


def test_a_file_that_is_refused_is_told_of_by_its_own_rows(tmp_path):
    reader = EventReader(Columns("user_id", "item_id", "", "t"))
    good = [(u, i, "5") for u, i in PAIRS]
    wrong = [("NaN", "1", "5")] * 9
    reader.read(write(tmp_path / "a.csv", [*good, *wrong], (*HEAD, "t")))
    with pytest.raises(DataError, match=r"2 of its 3 rows .* 2 with no time as t\. b\.csv line 3"):
        reader.read(
            write(tmp_path / "b.csv", [("1", "2", t) for t in ("5", "x", "y")], (*HEAD, "t")), 2
        )


def test_a_rating_beyond_float32_and_an_id_of_thousands_of_digits_do_no_harm(tmp_path):
    table = [*((u, i, "3") for u, i in PAIRS), ("1" * 5000, "1", "2"), ("5", "5", "1e300")]
    source = opened(write(tmp_path / "a.csv", table, (*HEAD, "rating")), rating_column="rating")
    assert source.skipped == 1
    assert source.ids[0] == (*map(str, range(USERS)), "1" * 5000)
    assert np.isfinite(source.histories.items).all()
