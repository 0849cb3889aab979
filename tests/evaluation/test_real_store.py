"""What is computed of real data alone is kept, and taken again only where nothing has changed."""

import os

import numpy as np
import pytest

from genkit.evaluation import real_store
from genkit.evaluation.metric import Batch, Context
from genkit.evaluation.real_store import RealStore
from genkit.evaluation.streams import batches_with_kept_features
from genkit.plugins.schema import Field, Schema

pytestmark = pytest.mark.usefixtures("active_backend")


@pytest.fixture
def store(tmp_path):
    return RealStore({"real": "abc", "seed": 1}, tmp_path / "real")


def made(calls, value=1.0):
    def make():
        calls.append(value)
        return {"a": np.full(3, value), "b": np.arange(2)}

    return make


def test_arrays_are_computed_once_and_are_the_same_bits(store):
    calls = []
    first = store.arrays("radii", made(calls, 0.1))
    again = store.arrays("radii", made(calls, 0.2))
    assert calls == [0.1]
    for name in ("a", "b"):
        np.testing.assert_array_equal(first[name], again[name])
        assert first[name].dtype == again[name].dtype


@pytest.mark.parametrize("changed", [{"real": "abd"}, {"seed": 2}, {"extractor": "other"}])
def test_other_data_seed_or_extractor_is_computed_anew(store, tmp_path, changed):
    calls = []
    store.arrays("radii", made(calls))
    other = RealStore({"real": "abc", "seed": 1, **changed}, tmp_path / "real")
    other.arrays("radii", made(calls))
    store.arrays("other", made(calls))
    assert len(calls) == 3


def test_other_code_or_another_machine_computes_anew(store, tmp_path, monkeypatch):
    calls = []
    store.arrays("radii", made(calls))
    monkeypatch.setattr(real_store, "_own_code", lambda: "changed")
    RealStore({"real": "abc", "seed": 1}, tmp_path / "real").arrays("radii", made(calls))
    assert len(calls) == 2


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04torn", b"no archive", None])
def test_a_damaged_file_is_computed_anew(store, tmp_path, content):
    calls = []
    store.arrays("radii", made(calls))
    (file,) = (tmp_path / "real").iterdir()
    file.write_bytes(file.read_bytes()[:-30] if content is None else content)
    store.arrays("radii", made(calls))
    assert len(calls) == 2
    store.arrays("radii", made(calls))
    assert len(calls) == 2


def test_arrays_of_objects_are_never_read(store, tmp_path):
    store.arrays("radii", made([]))
    (file,) = (tmp_path / "real").iterdir()
    np.savez(file, a=np.array([{}], object))
    assert store.read("radii") is None


def test_without_room_it_is_computed_each_time(tmp_path):
    (tmp_path / "real").write_text("a file where the folder should be")
    calls = []
    store = RealStore({}, tmp_path / "real")
    for _ in range(2):
        store.arrays("radii", made(calls))
    assert len(calls) == 2


def test_what_was_not_used_for_longest_goes_first(store, tmp_path, monkeypatch):
    for age, name in enumerate(("new", "used", "old")):
        store.arrays(name, made([]))
        file = store._file(name)
        os.utime(file, (1e9 - age, 1e9 - age))
    assert store.read("old") is not None  # it is the one used last now
    monkeypatch.setattr(real_store, "MOST_KEPT", 3 * store._file("new").stat().st_size)
    store.arrays("newest", made([]))
    kept = {name for name in ("newest", "new", "used", "old") if store.read(name) is not None}
    assert kept == {"newest", "old", "new"}


@pytest.mark.skipif(os.name != "posix", reason="folders have other rights there")
def test_nobody_else_can_read_what_is_kept(store, tmp_path):
    store.arrays("radii", made([]))
    assert (tmp_path / "real").stat().st_mode & 0o077 == 0


class Source:
    schema = Schema({"image": Field((2, 2, 1), "float32", "image", range=(0, 1))})

    def __len__(self):
        return 150

    def gather(self, indices):
        rows = np.arange(150 * 4, dtype="float32").reshape(150, 2, 2, 1)
        return {"image": rows[indices]}


class Extractor:
    def __init__(self):
        self.seen = 0

    def features(self, items):
        self.seen += len(items)
        return items.reshape(len(items), -1) * np.float32(1 / 3)


def test_features_of_real_items_are_made_once(store):
    extractor = Extractor()
    first = [b.features for b in batches_with_kept_features(Source(), "image", extractor, store)]
    assert extractor.seen == 150
    batches = list(batches_with_kept_features(Source(), "image", extractor, store))
    assert extractor.seen == 150
    assert all(isinstance(batch, Batch) for batch in batches)
    for before, batch in zip(first, batches, strict=True):
        np.testing.assert_array_equal(before, batch.features)
        assert len(batch.items) == len(batch.features)


def test_features_are_those_of_any_seed_and_training_data(tmp_path):
    extractor = Extractor()
    for seed, training in ((1, "a"), (2, "a"), (1, "b")):
        store = RealStore({"real": "abc", "seed": seed, "training": training}, tmp_path / "real")
        for batch in batches_with_kept_features(Source(), "image", extractor, store):
            assert batch.features.shape[1] == 4
    assert extractor.seen == 150
    other = RealStore({"real": "abd", "seed": 1, "training": "a"}, tmp_path / "real")
    for batch in batches_with_kept_features(Source(), "image", extractor, other):
        assert batch.features.shape[1] == 4
    assert extractor.seen == 300


def test_features_that_nobody_asked_for_or_that_are_too_large_are_not_kept(store, monkeypatch):
    extractor = Extractor()
    list(batches_with_kept_features(Source(), "image", extractor, store))
    assert store.of_items().read("features") is None
    monkeypatch.setattr("genkit.evaluation.streams.MOST_OF_ONE", 150 * 4 * 4 - 1)
    for batch in batches_with_kept_features(Source(), "image", extractor, store):
        assert batch.features.shape[1] == 4
    assert store.of_items().read("features") is None


def test_a_context_without_a_store_computes():
    context = Context(Source.schema)
    calls = []
    for _ in range(2):
        context.of_real("radii", made(calls))
    assert len(calls) == 2
