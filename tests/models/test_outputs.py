"""Several output fields: their own dtypes, lengths, missing values, and what people hold."""

import keras
import numpy as np
import pytest
from keras import ops

import genkit
from genkit.errors import DataError, PluginError, UsageError
from genkit.models.outputs import as_objects, is_finite

pytestmark = pytest.mark.usefixtures("active_backend")

FIRST = 2**24  # floats of 32 bits count by twos from here on
SCHEMA = genkit.Schema(
    {
        "key": genkit.Field((), "int32", "id", (FIRST, FIRST + 1000)),
        "age": genkit.Field((), "int32", "number", (0, 100), missing=True),
        "word": genkit.Field((None,), "int32", "text"),
        "photo": genkit.Field((2, 2, 1), "uint8", "image", (0, 255)),
    }
)
LETTERS = "abcdefgh"


class Records(genkit.Model):
    """Makes records of four kinds of fields from one number of noise."""

    output_fields = ("key", "age", "word", "photo")

    def noise(self, rng, n):
        return {"place": rng.integers(0, 1000, n).astype("int32")}

    def decode(self, place):
        letters = ops.arange(8, dtype="int32")[None] + ops.zeros_like(place)[:, None]
        grey = ops.cast(place % 256, "float32")[:, None, None, None]
        return {
            "photo": grey * ops.ones((1, 2, 2, 1)),
            "word": letters,
            "word_length": place % 8,
            "key": FIRST + place,
            "age": place % 100,
            "age_missing": ops.equal(place % 2, 0),
        }


class Written(Records):
    """Presents words as text."""

    def present(self, items):
        words = ["".join(LETTERS[letter] for letter in word) for word in items["word"]]
        return {**items, "word": np.array(words, object)}


class Broken(Records):
    """Makes what it is told to."""

    def decode(self, place):
        made = super().decode(place)
        return self.changed(made)

    def present(self, items):
        return self.shown(items)


def made(kind=Records, **options):
    return kind(None, SCHEMA).generate(100, seed=3, **options)


def test_each_field_has_its_own_dtype_and_integers_are_exact():
    items = made()
    assert list(items) == ["key", "age", "word", "photo"]
    assert items["key"].dtype == np.int32
    assert (items["key"] - FIRST).max() > 500
    assert len(np.unique(items["key"] % 2)) == 2
    assert (items["photo"].dtype, items["photo"].shape) == (np.float32, (100, 2, 2, 1))
    np.testing.assert_array_equal(items["photo"][:, 0, 0, 0], (items["key"] - FIRST) % 256)


def test_items_are_cut_to_their_length_and_missing_values_are_masked():
    items = made()
    place = items["key"] - FIRST
    assert [len(word) for word in items["word"]] == (place % 8).tolist()
    assert isinstance(items["age"], np.ma.MaskedArray)
    np.testing.assert_array_equal(items["age"].mask, place % 2 == 0)
    np.testing.assert_array_equal(items["age"].compressed(), (place % 100)[place % 2 == 1])


def test_people_are_shown_what_the_model_presents():
    words = made(Written)["word"]
    assert words.dtype == object
    assert {LETTERS.startswith(word) for word in words} == {True}
    assert set(map(len, words)) == set(range(8))


def test_items_come_in_batches_by_field_whatever_their_number():
    model = Records(None, SCHEMA)
    batches = list(model.generate_items(100, seed=3, begin=10))
    assert [len(batch["key"]) for batch in batches] == [64, 26]
    whole = model.generate(100, seed=3)
    keys = np.concatenate([batch["key"] for batch in batches])
    np.testing.assert_array_equal(keys, whole["key"][10:])
    for ours, theirs in zip(model.generate_batches(3), model.generate_items(3), strict=True):
        assert ours.keys() == theirs.keys()


def test_a_model_of_one_field_gives_its_array_and_items_by_field():
    class Keys(Records):
        output_fields = ("key",)

        def decode(self, place):
            return FIRST + place

    model = Keys(None, SCHEMA)
    np.testing.assert_array_equal(model.generate(70, seed=3), made()["key"][:70])
    (items,) = model.generate_items(5, seed=3)
    assert list(items) == ["key"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (lambda made: made["key"], "return key, age, word, photo, its output fields; received key"),
        (lambda made: {**made, "pet": made["key"]}, "received pet too"),
        (lambda made: {k: v for k, v in made.items() if k != "age"}, "its output fields"),
    ],
)
def test_decode_returns_the_output_fields_and_no_others(changed, said):
    model = Broken(None, SCHEMA)
    model.changed = changed
    with pytest.raises(PluginError, match=said):
        model.generate(3)


def test_a_length_that_is_beyond_the_items_is_refused():
    model = Broken(None, SCHEMA)
    model.changed = lambda made: {**made, "word_length": made["word_length"] + 5}
    with pytest.raises(DataError, match="Expected 'word_length' from 0 to 8"):
        model.generate(30)


@pytest.mark.parametrize(
    "shown", [lambda items: None, lambda items: {**items, "key": items["key"][1:]}]
)
def test_what_is_presented_are_the_same_items(shown):
    model = Broken(None, SCHEMA)
    model.changed, model.shown = (lambda made: made), shown
    with pytest.raises(PluginError, match="present of Broken to return key, age, word, photo"):
        model.generate(3)


class Drawn(genkit.Model):
    """Gives its noise, and counts how often that is drawn."""

    def noise(self, rng, n):
        self.drawn.append(n)
        return {"z": rng.standard_normal((n, 2), dtype="float32")}

    def decode(self, z):
        self.sizes.append(z.shape[0])
        return 2.0 * z


def drawn(**settings):
    schema = genkit.Schema({"point": genkit.Field((2,), "float32", "vector")})
    model = Drawn(None, schema)
    model.drawn, model.sizes = [], []
    for name, value in settings.items():
        setattr(model, name, value)
    return model


def test_a_small_batch_makes_one_item_alone():
    model = drawn(generation_batch=1)
    one = model.generate(1, seed=5)
    assert (sum(model.drawn), set(model.sizes)) == (1, {1})
    np.testing.assert_array_equal(one, drawn().generate(1, seed=5))


def test_a_model_says_whether_a_small_batch_changes_its_bits():
    class ByBatch(Drawn):
        def decode(self, z):
            return z + ops.cast(z.shape[0], "float32")

    schema = genkit.Schema({"point": genkit.Field((2,), "float32", "vector")})
    for kind, said in ((Drawn, True), (ByBatch, False)):
        model = kind(None, schema)
        model.drawn, model.sizes = [], []
        assert model.same_bits(1, seed=3) is said
        assert model.generation_batch == 64


def test_noise_in_blocks_depends_on_seed_and_index_alone():
    blocks = drawn(noise_block=32, generation_batch=16)
    whole = blocks.generate(100, seed=5)
    assert len(np.unique(whole)) == 200
    for begin, n in ((0, 10), (37, 41), (96, 100)):
        batches = list(blocks.generate_batches(n, seed=5, begin=begin))
        np.testing.assert_array_equal(np.concatenate(batches), whole[begin:n])
    big = drawn(noise_block=32, generation_batch=128)
    np.testing.assert_array_equal(big.generate(100, seed=5), whole)
    assert big.drawn == [32] * 4
    assert (drawn().generate(100, seed=5) != whole).all()


@pytest.mark.parametrize("name", ["generation_batch", "noise_block"])
@pytest.mark.parametrize("size", [0, 48, 2.0, "64"])
def test_sizes_are_powers_of_two(name, size):
    with pytest.raises(UsageError, match=f"Expected {name} to be a power of two; received"):
        drawn(**{name: size}).generate(3)


def test_half_precision_comes_as_float32(active_backend):
    class Half(Drawn):
        def decode(self, z):
            return ops.cast(z, "bfloat16")

    schema = genkit.Schema({"point": genkit.Field((2,), "float32", "vector")})
    model = Half(None, schema)
    model.drawn, model.sizes = [], []
    assert model.generate(3).dtype == np.float32
    assert keras.backend.backend() == active_backend


@pytest.mark.once
def test_what_is_missing_or_text_is_not_asked_to_be_finite():
    masked = np.ma.MaskedArray([1.0, np.nan], [False, True])
    text = np.array(["a", None], object)
    ragged = as_objects([np.zeros(2, np.float32), np.zeros(3, np.float32)])
    assert all(map(is_finite, (masked, text, ragged, np.array([1, 2]), [np.zeros(2)])))
    ragged[1][2] = np.inf
    assert not is_finite(ragged)
    assert not is_finite(np.ma.MaskedArray([np.nan, 1.0], [False, True]))
