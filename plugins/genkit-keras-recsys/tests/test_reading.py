"""Files of interactions: forms, ids, what is wrong with them, and how much memory they take."""

import csv
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from data import opened, rows, write
from genkit_recsys import movielens
from genkit_recsys.catalogue import read_catalogue
from genkit_recsys.data_settings import DownloadedConfig, LatestSmallConfig
from genkit_recsys.datasets import open_latest_small
from genkit_recsys.reading import Columns, EventReader
from genkit_recsys.table_files import table_chunks
from pyarrow import parquet

from genkit.errors import DataError
from genkit.plugins.config import parse


@pytest.fixture
def file(tmp_path):
    return write(tmp_path / "clicks.csv", rows())


def pairs(source):
    """Return who has what, by id."""
    users, items = source.ids
    who = source.users[source.histories.rows_of_pairs()]
    return {(users[u], items[i]) for u, i in zip(who, source.histories.items, strict=True)}


def test_csv_tsv_parquet_and_atomic_files_are_read_alike(tmp_path, file):
    table, head = rows(), ("user_id", "item_id", "rating", "time")
    tsv = write(tmp_path / "clicks.tsv", table, delimiter="\t")
    types = ("token", "token", "float", "float")
    named = [f"{name}:{kind}" for name, kind in zip(head, types, strict=True)]
    inter = write(tmp_path / "clicks.inter", table, named, "\t")
    columns = list(zip(*table, strict=True))
    parquet.write_table(pa.table(dict(zip(head, columns, strict=True))), tmp_path / "c.parquet")
    wanted = opened(file, split="all")
    for other in (tsv, inter, tmp_path / "c.parquet"):
        found = opened(other, split="all")
        assert pairs(found) == pairs(wanted)
        assert found.fingerprint() == wanted.fingerprint()


def test_long_fields_are_read_and_the_limit_of_csv_stays_what_it_was(tmp_path):
    before = csv.field_size_limit()
    long = "x" * (before + 1)
    file = write(tmp_path / "long.csv", [*rows(), (long, "a", 5, 1)])
    chunks = table_chunks(file, ["user_id"])
    chunk = next(chunks)
    assert csv.field_size_limit() == before
    assert chunk.rows[-1] == (long,)
    assert list(chunks) == []
    assert csv.field_size_limit() == before


def test_the_order_of_rows_and_of_columns_does_not_matter(tmp_path, file):
    turned = [(time, rating, item, user) for user, item, rating, time in rows()[::-1]]
    other = write(tmp_path / "turned.csv", turned, ("time", "rating", "item_id", "user_id"))
    assert opened(other, split="all").fingerprint() == opened(file, split="all").fingerprint()


def test_a_file_without_a_head_is_read_by_column_numbers(tmp_path, file):
    bare = write(tmp_path / "bare.csv", rows(), head=None)
    numbered = {"user_column": "0", "item_column": "1", "rating_column": "2", "time_column": "3"}
    assert pairs(opened(bare, split="all", **numbered)) == pairs(opened(file, split="all"))


def test_ids_are_any_text_and_numbers_are_put_in_order(tmp_path):
    table = [("Zoë 🎬", "漢字, with a comma", 1, 1), ('a "b"', "é", 1, 2), ("0", "10", 1, 3)]
    source = opened(write(tmp_path / "u.csv", table), split="all")
    assert pairs(source) == {row[:2] for row in table}
    numeric = [("10", "2", 1, 1), ("9", "10", 1, 1)]
    assert opened(write(tmp_path / "n.csv", numeric), split="all").ids == (("9", "10"), ("2", "10"))


def test_of_repeated_and_contradictory_events_the_latest_counts(tmp_path):
    table = [
        ("u", "changed to low", 5, 1),
        ("u", "changed to low", 1, 9),
        ("u", "changed to high", 1, 1),
        ("u", "changed to high", 5, 9),
        ("u", "said twice", 5, 3),
        ("u", "said twice", 5, 3),
    ]
    source = opened(write(tmp_path / "twice.csv", table), split="all", min_rating=4)
    assert {item for _, item in pairs(source)} == {"changed to high", "said twice"}
    assert len(source.histories.items) == 2


def test_malformed_rows_are_counted_and_the_first_are_shown(tmp_path, capsys):
    wrong = [("u",), ("", "i", 1, 1), ("u", "i", "much", 1), ("u", "i", 1, "nan"), ("u", "i", 1)]
    table = [*rows()[:40], *wrong, *rows()[40:]]
    source = opened(write(tmp_path / "bad.csv", table), split="all")
    assert source.skipped == 5
    told = capsys.readouterr().err
    assert f"5 of {len(table)} rows are malformed" in told
    assert "2 with another number of cells than the head, 1 with no user or no item" in told
    assert "bad.csv line 42: expected 4 cells; received 1, 'u'" in told
    assert "expected a number as rating; received 'much'" in told
    assert pairs(source) == {row[:2] for row in rows()}


def test_a_file_that_is_mostly_malformed_is_refused(tmp_path):
    other = write(tmp_path / "other.csv", [("u", "i", "x", "y")] * 9)
    with pytest.raises(DataError, match="9 of its 9 rows are malformed"):
        opened(other)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "a column 'user_id'"),
        (b"user_id,item_id,rating,time\n", "received 0 rows"),
        (b"\xff\xfe\x00user", "can't be read"),
        (b"PAR1 no parquet", "can't be read"),
    ],
)
def test_what_is_no_table_is_told_of_in_one_line(tmp_path, content, told):
    file = tmp_path / ("x.parquet" if content.startswith(b"PAR") else "x.csv")
    file.write_bytes(content)
    with pytest.raises(DataError, match=told) as caught:
        opened(file)
    assert "\n" not in str(caught.value)


def test_filters_leave_a_core_in_which_all_have_enough(file):
    source = opened(file, split="all", min_rating=2, user_core=6, item_core=8)
    assert source.histories.lengths.min() >= 6
    assert np.bincount(source.histories.items).min() >= 8
    with pytest.raises(DataError, match="none is left"):
        opened(file, user_core=1000)


def test_titles_and_attributes_come_with_the_items(tmp_path, file):
    table = [("item 1", "Wünsche, The", "Drama|War"), ("item 2", "", "Comedy"), ("", "x", "y")]
    items = write(tmp_path / "items.csv", table, ("item_id", "title", "genre"))
    columns = {"title_column": "title", "attribute_column": "genre"}
    archive = opened(file, items_path=str(items), **columns).archive
    one, two = archive.item_numbers["item 1"], archive.item_numbers["item 2"]
    assert (archive.titles[one], archive.attributes[one]) == ("Wünsche, The", "Drama|War")
    assert (archive.titles[two], archive.attributes[two]) == ("item 2", "Comedy")
    with pytest.raises(DataError, match="none is named"):
        read_catalogue(items, "item_id")


def test_recbole_item_and_user_files_are_understood(tmp_path, file):
    items = write(
        tmp_path / "x.item", [("item 1", "A", "Drama War")],
        ("item_id:token", "movie_title:token_seq", "class:token_seq"), "\t",
    )  # fmt: skip
    users = write(tmp_path / "x.user", [("user 1", 3)], ("user_id:token", "age:float"), "\t")
    source = opened(
        file, split="all", items_path=str(items), title_column="movie_title",
        attribute_column="class", users_path=str(users),
    )  # fmt: skip
    assert {user for user, _ in pairs(source)} == {"user 1"}
    catalogue = read_catalogue(items, "item_id", "movie_title", "class")
    assert catalogue.attributes == {"item 1": "Drama|War"}


def test_movielens_in_the_package_is_whole():
    source = open_latest_small(LatestSmallConfig(split="all"))
    assert (len(source), source.histories.n_items, len(source.histories.items)) == (
        671,
        9066,
        100004,
    )
    assert source.archive.titles[0] == "Toy Story (1995)"
    assert source.archive.attributes[0] == "Adventure|Animation|Children|Comedy|Fantasy"


def test_movielens_that_was_downloaded_is_read_in_its_own_forms(tmp_path):
    (tmp_path / "u.data").write_text("1\t2\t5\t10\n1\t3\t4\t11\n", encoding="latin-1")
    flags = "|".join("1" if place in {2, 3} else "0" for place in range(19))
    (tmp_path / "u.item").write_bytes(f"2|Misérables, Les (1995)|d||u|{flags}\n".encode("latin-1"))
    events, catalogue = movielens.read_100k(tmp_path)
    assert len(events) == 2
    assert catalogue.titles == {"2": "Misérables, Les (1995)"}
    assert catalogue.attributes == {"2": "Adventure|Animation"}
    (tmp_path / "ratings.dat").write_bytes(b"1::2::5::10\n")
    (tmp_path / "movies.dat").write_bytes("2::Misérables (1995)::Drama|War\n".encode("latin-1"))
    events, catalogue = movielens.read_1m(tmp_path)
    assert (len(events), catalogue.titles["2"]) == (1, "Misérables (1995)")


def test_a_download_that_fails_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(movielens, "BASE_URL", (tmp_path / "nowhere").as_uri() + "/")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(DataError, match=r"ml-100k\.zip") as caught:
        movielens.folder_of("ml-100k", None)
    assert "--data path=" in caught.value.hint
    assert parse(DownloadedConfig, {"path": str(tmp_path)}, "").path == tmp_path


STREAMED = """
import resource, sys
from pathlib import Path
from genkit_recsys.reading import Columns, EventReader
from genkit_recsys.table_files import table_chunks
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader = EventReader(Columns("user_id", "item_id", "", "time"))
reader.read(Path(sys.argv[1]))
events = reader.events()
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(events), (after - before) * 1024)
"""


def test_rows_are_streamed_and_only_their_numbers_stay(tmp_path):
    file, count = tmp_path / "many.csv", 400_000
    with file.open("w") as stream:
        stream.write("user_id,item_id,time,comment\n")
        filler = "x" * 200
        stream.writelines(f"u{n % 5000},i{n % 700},{n},{filler}\n" for n in range(count))
    done = subprocess.run(
        [sys.executable, "-c", STREAMED, str(file)], capture_output=True, text=True, check=True
    )
    read, memory = map(int, done.stdout.split())
    assert read == count
    # 21 bytes an event, a chunk of rows on its way, and what Python rounds up: not the file.
    assert memory < 90e6 + 3 * 21 * count < file.stat().st_size * 2


def test_reading_the_same_user_in_two_files_keeps_one_number(tmp_path, file):
    reader = EventReader(Columns("user_id", "item_id", "rating", "time"))
    reader.read(file)
    reader.read(file, part=2)
    events = reader.events()
    assert len(events.users) == 60
    assert set(events.part.tolist()) == {0, 2}


@pytest.mark.parametrize(
    "error",
    [
        PermissionError(13, "Permission denied", "/somewhere"),
        OSError("pool: Failed to connect: [Errno 111] Permission denied"),
    ],
)
def test_a_download_that_fails_is_told_in_words(monkeypatch, tmp_path, error):
    def refuse(*_, **__):
        raise error

    monkeypatch.setattr("pooch.os_cache", lambda _: tmp_path)
    monkeypatch.setattr("pooch.retrieve", refuse)
    with pytest.raises(DataError, match=r"Permission denied\.") as caught:
        movielens.folder_of("ml-100k", None)
    assert "Errno" not in str(caught.value)
    assert "--data path=" in caught.value.hint
