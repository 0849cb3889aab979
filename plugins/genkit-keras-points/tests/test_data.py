"""The toy densities, and a person's own points."""

import gzip
import math

import numpy as np
import pytest
from genkit_points import table
from genkit_points.configs import PointsConfig, PointsCsvConfig
from genkit_points.data import open_points
from genkit_points.densities import DENSITIES, MODES
from genkit_points.table import open_csv

from genkit.errors import DataError


def points_of(density, **settings):
    return open_points(PointsConfig(density=density, **settings))


@pytest.mark.parametrize("density", list(DENSITIES))
def test_a_density_lies_within_the_range_and_has_points_of_every_class_about_alike(density):
    source = points_of(density, n=20_000)
    points, labels = source.arrays["points"], source.arrays["label"]
    assert np.abs(points).max() < 1
    assert np.abs(points).max() > 0.6, "the range is used"
    classes = source.schema["label"].classes
    share = np.bincount(labels, minlength=len(classes)) / len(labels)
    assert np.abs(share * len(classes) - 1).max() < 0.2


@pytest.mark.parametrize("density", list(MODES))
def test_modes_are_where_and_as_wide_as_they_are_said_to_be(density):
    source = points_of(density, n=50_000)
    modes = MODES[density]
    for mode, centre in enumerate(modes.centres):
        own = source.arrays["points"][source.arrays["label"] == mode]
        np.testing.assert_allclose(own.mean(axis=0), centre, atol=0.003)
        np.testing.assert_allclose(own.std(axis=0), modes.scale, rtol=0.1)


def test_points_follow_the_seed_and_splits_share_none():
    one, again = points_of("moons", seed=3), points_of("moons", seed=3)
    assert one.fingerprint() == again.fingerprint() != points_of("moons", seed=4).fingerprint()
    held_out = points_of("moons", seed=3, split="test").arrays["points"]
    assert not set(map(tuple, one.arrays["points"])) & set(map(tuple, held_out))


def write(folder, text, **settings):
    path = folder / "mine.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return open_csv(PointsCsvConfig(path=path, **settings))


def test_two_named_columns_and_a_label_are_read_and_the_range_has_room(tmp_path):
    rows = "".join(f"{k},{2 * k},{'cat' if k % 2 else 'dog'},x\n" for k in range(10))
    text = "\ufeffwidth, height,kind,rest\n\n" + rows
    settings = {"x": "height", "y": "width", "label": "kind"}
    train = write(tmp_path, text, **settings)
    test = write(tmp_path, text, **settings, split="test")
    assert (len(train), len(test)) == (8, 2)
    together = np.concatenate([train.arrays["points"], test.arrays["points"]])
    assert sorted(map(tuple, together)) == [(2.0 * k, float(k)) for k in range(10)]
    assert train.schema == test.schema
    assert train.schema["points"].range == pytest.approx((-1.8, 19.8))
    assert train.schema["label"].classes == ("cat", "dog")
    for (_, width), label in zip(train.arrays["points"], train.arrays["label"], strict=True):
        assert label == (0 if width % 2 else 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x,y\n1,2\n3,four\n", r"number in line 3, column 'y' of .*; it is 'four'"),
        ("x,y\n1,nan\n2,3\n", "number in line 2"),
        ("x,y\n1,inf\n2,3\n", "number in line 2"),
        ("x,y\n1,1e300\n2,3\n", "number in line 2"),
        ("x,y\n1,2\n3\n", "Line 3 of .*: expected 2 cells; received 1, '3'"),
        ("a,b\n1,2\n", "a column 'x' .* it has 'a', 'b'"),
        ("x,x,y\n1,2,3\n", "one column 'x'"),
        ("", "a column 'x' .* it has no first line"),
        ("x,y\n", "no line after the first"),
        ("x,y\n1,1\n1,1\n", "all values are 1"),
        (b"x,y\n1,2\n\xff,3\n", "UTF-8"),
        (b"x,y\n1,2\n\x00,3\n", "near line|number in line 3"),
        ('x,y\n1,"2\n' + "3,4\n" * 5, "Line 2 of .*: expected the end of a quoted cell"),
        ("x,y\n" + "1" * 200_000 + ",2\n", "near line|number"),
    ],
)
def test_a_file_that_is_no_table_of_points_is_refused_in_one_line(tmp_path, text, told):
    with pytest.raises(DataError, match=told) as caught:
        write(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_table_is_read_alike_in_any_form_and_blank_lines_and_comments_are_none(tmp_path):
    text = "x,y,kind\n" + "".join(f"{k},{2 * k},{'ab'[k % 2]}\n" for k in range(10))
    wanted = write(tmp_path, text, label="kind").fingerprint()
    for other in (
        gzip.compress(text.encode()),
        text.encode("utf-16"),
        text.replace(",", ";"),
        text.replace(",", "\t"),
        text.replace(",", " "),
        text.replace("\n", "\r\n"),
        "# made today\n\n" + text.replace("5,", "# half\n\n5,", 1) + ",,\n",
        text.replace("\n", ",\n"),
    ):
        assert write(tmp_path, other, label="kind").fingerprint() == wanted
    assert write(tmp_path, text.replace(",", "^"), label="kind", delimiter="^")
    latin = text.replace("a\n", "é\n").encode("latin-1")
    assert (
        write(tmp_path, latin, label="kind", encoding="latin-1").schema["label"].classes[-1] == "é"
    )


@pytest.mark.parametrize(
    ("text", "told", "hint"),
    [
        ("x;y\n3,5;1\n", "it is '3,5'", "decimal point"),
        ("x,y\n3,5,1\n", "Line 2 of .*: expected 2 cells; received 3", "quotation marks"),
        ("x,y\n1,2,\n3,4,5\n", "Line 3 of .*: expected 2 cells; received 3", "quotation marks"),
        ("x,y,k\n1,2,a\n3,4,NaN\n", "a label in line 3 .* 'NaN'", "another word"),
        ("x,y,k\n1,2,\n", "a label in line 2 .* ''", "another word"),
        ("x,y,k\n1,2,NULL\n", "a label in line 2", "another word"),
        ("x,y,k\n1,2,a\n3,4", "Line 3 of .*: expected 3 cells; received 2", "quotation marks"),
        ("X,y\n1,2\n", "a column 'x'", "Did you mean 'X'"),
        (b"x,y\n1,2\n\xe9,3\n", "UTF-8", "encoding=latin-1"),
        (b"PK\x03\x04", "damaged", "again"),
        (b"\x28\xb5\x2f\xfd", "Zstandard", "Unpack"),
        (b"PAR1", "Parquet", "as CSV"),
    ],
)
def test_a_file_that_is_refused_comes_with_what_to_do(tmp_path, text, told, hint):
    label = "k" if b"k" in (text if isinstance(text, bytes) else text.encode()) else None
    with pytest.raises(DataError, match=told) as caught:
        write(tmp_path, text, label=label)
    assert hint in caught.value.hint


def test_a_cell_over_lines_that_look_like_rows_is_told_of(tmp_path, capsys):
    rows = "".join(f"{k},{k + 1},t\n" for k in range(5))
    text = f'x,y,note\n{rows}5,6,"open\n{rows}7,8,closed"\n'
    write(tmp_path, text)
    assert "begins in line 7" in capsys.readouterr().err


def test_a_file_too_large_a_missing_one_and_too_many_labels_are_refused(tmp_path, monkeypatch):
    with pytest.raises(DataError, match="No such file"):
        open_csv(PointsCsvConfig(path=tmp_path / "none.csv"))
    many = "x,y,id\n" + "".join(f"{k},{math.sin(k)},{k}\n" for k in range(1100))
    with pytest.raises(DataError, match=r"at most 1000 labels .* line 1002"):
        write(tmp_path, many, label="id")
    monkeypatch.setattr(table, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="MiB"):
        write(tmp_path, many)
