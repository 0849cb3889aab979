"""Columns: items of varying length, values that are missing, dates, long vocabularies."""

import json

import numpy as np
import pytest

import genkit
from genkit.data import (
    ColumnSource,
    Loader,
    Ragged,
    bucket,
    items_of,
    pack_text,
    unpack_text,
    vocabulary_of,
    with_vocabulary,
)
from genkit.errors import DataError, PluginError

pytestmark = pytest.mark.once

SOUND = genkit.Schema({"sound": genkit.Field((None,), "float32", "audio", rate=8000)})
LENGTHS = (3, 0, 9, 1, 17, 5)


def sounds():
    return [np.arange(1, n + 1, dtype="float32") for n in LENGTHS]


def test_items_come_padded_with_their_lengths_and_are_cut_again():
    source = ColumnSource({"sound": sounds()}, SOUND)
    batch = source.gather(np.array([4, 1, 0]))
    assert batch["sound"].shape == (3, 17)
    assert batch["sound_length"].dtype == np.int32
    assert batch["sound_length"].tolist() == [17, 0, 3]
    assert batch["sound"][2].tolist() == [1, 2, 3] + [0] * 14
    cut = items_of(batch, SOUND, "sound")
    assert [item.tolist() for item in cut] == [sounds()[i].tolist() for i in (4, 1, 0)]


def test_batches_are_padded_to_few_lengths():
    assert [bucket(n) for n in (0, 1, 8, 9, 16, 17, 1000)] == [8, 8, 8, 16, 16, 32, 1024]
    source = ColumnSource({"sound": sounds()}, SOUND)
    with Loader(source, batch_size=2, seed=0) as loader:
        for _ in range(9):
            batch = next(loader)
            assert batch["sound"].shape[1] == bucket(int(batch["sound_length"].max()))


def test_the_batches_of_a_step_are_padded_alike():
    source = ColumnSource({"sound": sounds()}, SOUND)
    with (
        Loader(source, batch_size=2, seed=0, batches_per_step=3) as loader,
        Loader(source, batch_size=2, seed=0) as single,
    ):
        for _ in range(9):
            batches, alone = next(loader), [next(single) for _ in range(3)]
            size = bucket(max(int(batch["sound_length"].max()) for batch in batches))
            assert [batch["sound"].shape[1] for batch in batches] == [size] * 3
            for batch, other in zip(batches, alone, strict=True):
                assert np.array_equal(batch["sound_length"], other["sound_length"])
                cut = items_of(batch, SOUND, "sound"), items_of(other, SOUND, "sound")
                assert all(map(np.array_equal, *cut))


def test_frames_vary_along_the_first_axis_alone():
    clips = [np.ones((n, 4, 4, 1), "uint8") for n in (2, 5)]
    field = genkit.Field((None, 4, 4, 1), "uint8", "video", (0, 255), rate=12)
    batch = ColumnSource({"clip": clips}, genkit.Schema({"clip": field})).gather(np.arange(2))
    assert batch["clip"].shape == (2, 5, 4, 4, 1)
    odd = genkit.Schema({"clip": genkit.Field((4, None), "uint8", "video")})
    with pytest.raises(PluginError, match="first axis alone"):
        ColumnSource({"clip": clips}, odd)


@pytest.mark.parametrize(
    ("sounds", "said"),
    [
        ([np.ones(2), np.ones((2, 3))], "length of their first axis alone"),
        ([], "length of their first axis alone"),
        (Ragged(np.ones(3), np.array([1, 2])), "received float64"),
    ],
)
def test_columns_that_are_not_of_the_schema_are_refused(sounds, said):
    with pytest.raises(DataError, match=said):
        ColumnSource({"sound": sounds}, SOUND)


def test_lengths_that_do_not_add_up_are_refused():
    with pytest.raises(DataError, match="add up"):
        Ragged(np.ones(3), np.array([1, 1]))


def test_a_source_that_forgets_the_lengths_is_told():
    with pytest.raises(DataError, match="'sound_length' beside 'sound'"):
        items_of({"sound": np.ones((2, 3))}, SOUND, "sound")
    batch = {"sound": np.ones((2, 3)), "sound_length": np.array([1, 4])}
    with pytest.raises(DataError, match="from 0 to 3"):
        items_of(batch, SOUND, "sound")


TABLE = genkit.Schema(
    {
        "age": genkit.Field((), "int64", "number", (0, 120), missing=True),
        "wealth": genkit.Field((), "float64", "number", missing=True),
        "born": genkit.Field((), "datetime64[D]", "date", missing=True),
        "note": genkit.Field((), "string", "text", missing=True),
        "key": genkit.Field((), "int64", "id", (2**53, 2**53 + 1)),
        "one": genkit.Field((), "int32", "number", (7, 7)),
    }
)


def table(**changes):
    columns = {
        "age": np.ma.MaskedArray(np.array([30, -1, 50]), [False, True, False]),
        "wealth": np.array([0.5, np.nan, 2.5]),
        "born": np.array(["1990-02-28", "NaT", "1600-01-01"], "datetime64[D]"),
        "note": np.array(["a", None, ""], object),
        "key": np.array([2**53 + 1, 2**53, 2**53]),
        "one": np.full(3, 7, np.int32),
    }
    return ColumnSource({**columns, **changes}, TABLE)


def test_missing_values_come_as_flags_with_zeros_in_their_place():
    batch = table().gather(np.array([1, 0]))
    for name in ("age", "wealth", "born", "note"):
        assert batch[f"{name}_missing"].tolist() == [True, False]
    assert (batch["age"][0], batch["wealth"][0], batch["note"][0]) == (0, 0.0, "")
    assert batch["born"][0] == np.datetime64("1970-01-01")
    assert batch["born"][1] == np.datetime64("1990-02-28")


def test_long_integers_and_their_range_stay_exact():
    assert TABLE["key"].range == (9007199254740992, 9007199254740993)
    assert table().gather(np.array([0]))["key"][0] == 9007199254740993
    again = genkit.Schema.from_dict(json.loads(json.dumps(TABLE.to_dict())))
    assert again["key"].range[1] == 9007199254740993
    with pytest.raises(DataError, match="'key' from 9007199254740992 to 9007199254740993"):
        table(key=np.full(3, 2**53 + 2))


def test_values_that_are_missing_where_none_may_be_are_refused():
    full = genkit.Schema({"age": genkit.Field((), "int64", "number")})
    masked = np.ma.MaskedArray(np.arange(3), [False, True, True])
    with pytest.raises(DataError, match="everywhere in 'age'; 2 of 3"):
        ColumnSource({"age": masked}, full)


def test_text_and_dates_stay_out_of_batches_and_flags_come_along():
    with Loader(table(), batch_size=2, seed=0) as loader:
        assert set(next(loader)) == {"age", "age_missing", "wealth", "wealth_missing", "key", "one"}


def test_what_is_missing_is_part_of_the_fingerprint():
    everything = np.ma.MaskedArray(np.array([30, 0, 50]), [False, False, False])
    assert table().fingerprint() == table().fingerprint()
    assert table().fingerprint() != table(age=everything).fingerprint()


def test_a_field_cannot_take_the_name_of_what_comes_beside_another():
    fields = {**SOUND.fields, "sound_length": genkit.Field((), "int32", "number")}
    with pytest.raises(PluginError, match="'sound_length' is that of an array beside 'sound'"):
        genkit.Schema(fields)


NAMES = ("Größe ☃", 'a "quoted" one', "line\nbreak", "")


def test_a_long_vocabulary_is_an_asset_with_its_digest_in_the_schema():
    field, assets = with_vocabulary("job", genkit.Field((), "int32", "category"), NAMES)
    schema = genkit.Schema({"job": field})
    assert not any(name in json.dumps(schema.to_dict()) for name in NAMES if name)
    assert genkit.Schema.from_dict(json.loads(json.dumps(schema.to_dict()))) == schema
    source = ColumnSource({"job": np.array([3, 0], np.int32)}, schema, assets)
    assert vocabulary_of(schema, "job", source.assets) == NAMES
    with pytest.raises(DataError, match="the vocabulary of 'job'; received no assets"):
        ColumnSource({"job": np.array([0], np.int32)}, schema)
    with pytest.raises(DataError, match="received another"):
        vocabulary_of(schema, "job", {"vocabulary.job": pack_text(["other"])})
    with pytest.raises(DataError, match="'job' from 0 to 3; received 0 to 4"):
        ColumnSource({"job": np.array([4, 0], np.int32)}, schema, assets)


def test_short_vocabularies_stay_in_the_schema():
    schema = genkit.Schema({"label": genkit.Field((), "int32", "label", classes=("a", "b"))})
    assert vocabulary_of(schema, "label", {}) == ("a", "b")


@pytest.mark.parametrize("damaged", [b"", b"[1]", b"{", b'"x"', b"\xff"])
def test_damaged_text_in_an_asset_is_told(damaged):
    assert unpack_text(pack_text(NAMES)) == NAMES
    with pytest.raises(DataError, match="packed text"):
        unpack_text(np.frombuffer(damaged, np.uint8))
