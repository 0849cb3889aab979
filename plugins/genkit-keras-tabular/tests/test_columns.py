"""What columns are, and their codes: exact both ways."""

import numpy as np
import pyarrow as pa
import pytest
from genkit_tabular.asking import limits_of
from genkit_tabular.codec import PLACES, Codec
from genkit_tabular.columns import Column
from genkit_tabular.configs import TableConfig
from genkit_tabular.datasets import open_table
from genkit_tabular.describing import Description, described
from genkit_tabular.ids import check_enough, free_of, keys, most_of
from genkit_tabular.inferring import propose
from genkit_tabular.keys import digits_of, floats, ordinals
from genkit_tabular.raw import RawTable, read_file
from genkit_tabular.source import table_source

from genkit.errors import DataError, UsageError

WIDE = np.random.default_rng(0)


def raw_of(**columns):
    chunked = {name: pa.chunked_array([pa.array(values)]) for name, values in columns.items()}
    return RawTable(chunked, frame="arrow")


def source_of(**columns):
    raw = raw_of(**columns)
    return table_source(raw, Description().of(raw)[0])


def kinds(path, text):
    path.write_text(text, encoding="utf-8")
    return {c.name: c for c in propose(read_file(path, missing=("", "?")))}


def lines(**columns):
    rows = zip(*columns.values(), strict=True)
    return "\n".join([",".join(columns), *(",".join(map(str, row)) for row in rows)]) + "\n"


def test_kinds_are_proposed_from_what_cells_say(tmp_path):
    n = range(60)
    found = kinds(
        tmp_path / "t.csv",
        lines(
            age=[20 + k % 30 for k in n],
            price=[f"{k % 9}.{k % 90 + 10}" for k in n],
            any=[f"{k + 1}e-17" for k in n],
            zip=[f"0{k % 7}501" for k in n],
            city=[["Rome", "Oslo", "?"][k % 3] for k in n],
            active=[["true", "false"][k % 2] for k in n],
            day=[f"2024-01-{k % 28 + 1:02}" for k in n],
            at=[f"2024-03-31T0{k % 9}:00:00+02:00" for k in n],
            took=[f"{k % 4} days 00:00:0{k % 5}" for k in n],
            customer_id=[100 + 3 * k for k in n],
            code=[f"AB-{k:04}" for k in n],
            note=[f"wrote {k} words" for k in n],
            email=[f"p{k % 50}@example.org" for k in n],
        ),
    )
    assert {name: column.kind for name, column in found.items()} == {
        "age": "number", "price": "number", "any": "number", "zip": "category",
        "city": "category", "active": "boolean", "day": "datetime", "at": "datetime",
        "took": "duration", "customer_id": "id", "code": "id", "note": "text", "email": "text",
    }  # fmt: skip
    assert (found["price"].digits, found["any"].digits, found["city"].missing) == (2, -1, True)
    assert (found["at"].zone, found["code"].pattern) == ("+02:00", "\\A\\B\\-####")
    assert "e-mail" in found["email"].personal
    assert not found["city"].personal


def test_five_rows_decide_nothing(tmp_path):
    path = tmp_path / "five.csv"
    found = kinds(path, lines(id=range(5), name=["a b", "c d", "e", "f", "g"]))
    assert [column.kind for column in found.values()] == ["number", "category"]
    assert "too few" in found["id"].reason
    assert "5 rows decide nothing" in described(read_file(path), path)
    with pytest.warns(UserWarning, match="5 rows decide nothing"):
        open_table(TableConfig(path=path))


def test_a_description_is_read_again_and_a_person_may_change_it(tmp_path):
    table, said = tmp_path / "t.csv", tmp_path / "table.toml"
    table.write_text(
        lines(size=["s", "m", "l"] * 30, n=list(range(90)), x=[k / 8 for k in range(90)])
    )
    text = described(read_file(table), table, "size")
    said.write_text(
        text.replace('[columns."size"]\nkind = "category"',
                     '[columns."size"]\norder = ["s", "m", "l"]\nkind = "ordered"')
        .replace('[columns."n"]\nkind = "id"', '[columns."n"]\nrange = [10, 20]\nkind = "number"')
    )  # fmt: skip
    with pytest.warns(UserWarning, match="break a rule: 79 range of n"):
        source = open_table(TableConfig(path=table, describe=said, held_out=0))
    assert source.schema["size"].classes == ("s", "m", "l")
    assert source.table.target == "size"
    codec = source.codecs["n"]
    assert (codec.low.min(), codec.high.max()) == (10, 20)
    said.write_text('[columns.n]\nkind = "numbr"\n')
    with pytest.raises(DataError, match=r"kind of .n..*numbr"):
        open_table(TableConfig(path=table, describe=said))


def test_cells_of_another_kind_than_described_are_named_not_lost(tmp_path):
    table, said = tmp_path / "t.csv", tmp_path / "table.toml"
    table.write_text(lines(n=[*range(89), "many"]))
    said.write_text('[columns.n]\nkind = "number"\n')
    with pytest.raises(DataError, match="'n' as a number; 1 different ones are none, first 'many'"):
        open_table(TableConfig(path=table, describe=said))


def test_lines_of_another_width_are_counted_and_told(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text(lines(a=range(80), b=[1, 2] * 40) + "1,2,3\n")
    with pytest.warns(UserWarning, match="1 rows with another number of cells"):
        source = open_table(TableConfig(path=table, held_out=0))
    assert len(source) == 80
    assert sum(source.left_out.values()) == 1


COLUMNS = {
    "few": WIDE.integers(0, 50, 900),
    "many": WIDE.integers(-(10**6), 10**6, 900),
    "atoms": np.where(WIDE.random(900) < 0.5, 0, WIDE.integers(0, 99_999, 900)),
    "huge": 2**53 + WIDE.integers(0, 2**61, 900),
    "money": np.round(WIDE.exponential(1000, 900), 2),
    "float": WIDE.normal(size=900) * 10.0 ** WIDE.integers(-200, 200, 900),
    "moment": np.datetime64("1600-01-01", "us") + WIDE.integers(0, 2**53, 900),
    "name": WIDE.choice([f"n{k}" for k in range(300)], 900),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_the_codec_undoes_itself_exactly(name):
    values = pa.array(COLUMNS[name], mask=WIDE.random(900) < 0.1)
    source = source_of(x=values, other=[1, 2, 3] * 300)
    codec, codes, offsets = source.codecs["x"], *source.encoded()
    keys_again, absent = codec.decode(codes[:, 0], offsets[:, 0])
    held = source._held[0]
    np.testing.assert_array_equal(absent, held.absent)
    np.testing.assert_array_equal(keys_again[~absent], held.keys[~absent])
    batch = source.gather(np.arange(900))
    np.testing.assert_array_equal(batch["x_missing"], values.is_null())
    if name != "name":
        there = values.drop_null().to_numpy(zero_copy_only=False)
        np.testing.assert_array_equal(batch["x"][~absent], there)


def test_floats_keep_their_order_as_ordinals_and_zero_has_no_sign():
    numbers = np.sort(np.concatenate([COLUMNS["float"], [0.0, -1e-300, 1e300, -1e300]]))
    assert (np.diff(ordinals(numbers)) > 0).all()
    np.testing.assert_array_equal(floats(ordinals(numbers)), numbers)
    assert ordinals(np.array([-0.0]))[0] == 0


@pytest.mark.parametrize(
    ("values", "digits"), [([1.5, 2.25], 2), ([1.0, 3.0], 0), ([0.1 + 0.2], -1), ([1e300], -1)]
)
def test_digits(values, digits):
    assert digits_of(np.array(values)) == digits
    if digits == 2:
        assert digits_of(np.array(values, np.float32)) == digits


def test_a_frequent_value_among_many_is_a_code_of_its_own():
    codec = source_of(x=COLUMNS["atoms"]).codecs["x"]
    zero = np.flatnonzero(codec.low == 0)[0]
    assert codec.high[zero] == 0
    assert codec.counts[zero] == (COLUMNS["atoms"] == 0).sum()
    assert codec.size < 150


def test_rare_names_share_a_code_and_it_is_told():
    names = np.array([f"n{k}" for k in range(5000)] * 2 + ["often"] * 100)
    raw = raw_of(x=names, y=np.arange(len(names)) % 3)
    with pytest.warns(UserWarning, match="'x' has 5,001 names: the 4,002 rarest share a code"):
        source = table_source(raw, [Column("x", "category"), Column("y", "number")])
    codec, (codes, offsets) = source.codecs["x"], source.encoded()
    assert codec.size == 1000
    again, _ = codec.decode(codes[:, 0], offsets[:, 0])
    np.testing.assert_array_equal(again, source._held[0].keys)


def test_places_are_spread_over_a_code_and_over_what_is_asked_of_it():
    codec = Codec(np.array([0]), np.array([2**40]), np.array([1]))
    places = np.linspace(0, PLACES - 1, 1001).astype(np.int64)
    offsets = codec.offsets(np.zeros(1001, np.int32), places)
    assert (np.diff(offsets) > 0).all()
    assert offsets[-1] > 0.999 * 2**40
    assert len(set((offsets % 8).tolist())) == 8, "not every second number alone"
    first, last = codec.limits(100, 2**39)
    asked = codec.offsets(np.zeros(2, np.int32), np.array([first[0], last[0] - 1]))
    assert 100 <= asked[0] < asked[1] <= 2**39


def test_conditions_are_values_ranges_and_null():
    source = source_of(
        n=pa.array([None, 1, *range(1, 59)]), c=["a", "b", "c"] * 20,
        d=pa.array(np.datetime64("2020-01-01") + np.arange(60) % 50),
    )  # fmt: skip

    def allowed(name, value):
        column = source.table[name]
        classes = source.schema[name].classes
        first, last = limits_of(column, source.codecs[name], classes, value)
        return int((last > first).sum())

    assert allowed("n", "3") == allowed("n", 3) == allowed("n", "null") == allowed("c", "b") == 1
    assert (allowed("n", "10:19"), allowed("n", ":5"), allowed("n", "50:")) == (10, 5, 9)
    assert allowed("d", "2020-01-03:2020-01-05") == 3
    for name, value, told in (
        ("n", "200", "estimated probability is 0"),
        ("n", "3.5", "a value from 1 to 58"),
        ("c", "d", "one of 'a', 'b', 'c'"),
        ("c", "null", "missing in no row"),
        ("n", "9:5", "a value from 1 to 58"),
    ):
        with pytest.raises(UsageError, match=told):
            allowed(name, value)


def test_keys_are_made_anew_another_for_each_row_in_any_parts():
    column = Column("code", "id", pattern="\\X#A")
    whole = keys(column, 0, 260, seed=3)
    assert most_of(column) == 260
    assert len(set(whole)) == 260
    assert all(key[0] == "X" and key[1].isdigit() and key[2].isupper() for key in whole)
    np.testing.assert_array_equal(whole[100:120], keys(column, 100, 20, seed=3))
    numbers = keys(Column("id", "id", first=500), 0, 5, seed=0)
    assert numbers.tolist() == [500, 501, 502, 503, 504]


@pytest.mark.parametrize("pattern", ["X##", "X##" + 30 * "A"])
def test_keys_of_a_pattern_are_none_that_a_row_has(pattern):
    behind = "Q" * (len(pattern) - 3)
    real = [f"X{number:02d}{behind}" for number in (3, 4, 40, 90)]
    first, room = free_of(pattern, [*real, "strange", "Y07" + behind])
    column = Column("code", "id", pattern=pattern, first=first, room=room)
    assert 49 * 26 ** len(behind) <= room < 50 * 26 ** len(behind)
    made = keys(column, 0, 49, seed=3)
    assert len(set(made)) == 49
    assert all(real[2] < key < real[3] for key in made)


def test_a_form_of_which_all_keys_are_taken_is_said():
    first, room = free_of("X#", [f"X{i}" for i in range(10)])
    column = Column("code", "id", pattern="X#", first=first, room=room)
    with pytest.raises(UsageError, match="at most 0 rows: so many values of the form 'X#' has"):
        check_enough(column, 1)


def test_a_table_of_ids_alone_is_told_what_to_do():
    with pytest.raises(DataError, match=r"received key \(id\)\. Ids are made anew"):
        source_of(key=pa.array(np.arange(1000, 1060)))
