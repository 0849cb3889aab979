"""Histories in batches: item numbers on the host, dense rows on the device; and files of before."""

from pathlib import Path

import numpy as np
import pytest
from data import opened, rows, write
from genkit_recsys.archive import Archive
from genkit_recsys.histories import Histories
from genkit_recsys.models.dense_rows import dense_rows
from genkit_recsys.old_files import as_today, old_assets
from genkit_recsys.source import InteractionSource
from keras import ops
from old_files import make
from small import build, lists

import genkit
from genkit.data import Loader, bucket, vocabulary_of
from genkit.errors import RunError

OLD = Path(__file__).parent / "old_files/33ef889"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "clicks.csv", rows())


def of_many(users, items, each):
    """Make users with as many items each, and ids."""
    rng = np.random.default_rng(0)
    chosen = np.sort(rng.integers(0, items - each, (users, each), dtype=np.int32), axis=1)
    chosen += np.arange(each, dtype=np.int32)  # none twice
    histories = Histories(np.arange(users + 1) * each, chosen.ravel(), items)
    return of(histories)


def of(histories):
    ids = tuple([str(number) for number in range(n)] for n in (len(histories), histories.n_items))
    return InteractionSource(histories, np.arange(len(histories), dtype=np.int32), ids)


@pytest.mark.parametrize("name", ["mult-vae", "mult-dae", "recvae"])
def test_a_batch_on_the_host_costs_what_its_histories_hold(name):
    source = of_many(users=1024, items=100_000, each=20)
    model = build(name, source.schema, hidden_dim=2, latent_dim=1)
    with Loader(model.examples(source), batch_size=1024, seed=0, noise=model.noise) as loader:
        batch = next(loader)
    assert batch["history"].shape == (1024, 32)
    assert sum(array.nbytes for array in batch.values()) < 1e6  # dense rows would be 410e6
    given = ops.array(batch["history"]), ops.array(batch["history_length"])
    dense = ops.convert_to_numpy(dense_rows(*given, 100_000))
    assert dense.sum(axis=1).tolist() == [20] * 1024
    for row, user in zip(dense[:9], batch["user"], strict=False):
        assert np.array_equal(np.flatnonzero(row), source.histories[user])


def test_rows_made_on_the_device_are_the_dense_rows():
    histories = lists([3, 0, 44], [], [7], range(45), [1, 2, 3, 4, 5, 6, 7, 8, 9])
    items, lengths = histories.padded()
    assert items.shape == (5, 64)
    found = dense_rows(ops.array(items), ops.array(lengths), 45)
    assert ops.convert_to_numpy(found).dtype == np.float32
    assert np.array_equal(ops.convert_to_numpy(found), histories.dense())
    behind = np.arange(64) >= lengths[:, None]
    items[behind] = 5  # what is behind a history has no part in it, and an item twice is one
    items[2, 1], lengths[2] = 7, 2
    found = dense_rows(ops.array(items), ops.array(lengths), 45)
    assert np.array_equal(ops.convert_to_numpy(found), histories.dense())


def test_a_model_is_given_the_same_rows_in_its_compiled_step(file):
    source = opened(file)
    model = build("mult-vae", source.schema)
    model.score = lambda history: history
    assert np.array_equal(model.map_histories("score", source.histories), source.histories.dense())


def test_batches_of_many_lengths_have_few_shapes():
    rng = np.random.default_rng(0)
    lengths = np.minimum(rng.geometric(0.03, 400), 300)
    source = of(lists(*(range(length) for length in lengths), n_items=300))
    with Loader(source, batch_size=8, seed=0) as loader:
        widths = {next(loader)["history"].shape[1] for _ in range(100)}
    assert widths <= {bucket(size) for size in (8, 16, 32, 64, 128, 256, 300)}


def test_ids_are_the_vocabularies_of_the_fields_and_strangers_have_no_number(file):
    for split in ("train", "test"):
        source = opened(file, split=split, protocol="users")
        for field, ids in zip(("user", "history"), source.ids, strict=True):
            assert vocabulary_of(source.schema, field, source.assets) == tuple(ids)
        batch = source.gather(np.arange(len(source)))
        assert batch["user_missing"].tolist() == [split == "test"] * len(source)
        assert Archive.is_in(source.assets) == (split == "train")


def test_an_archive_is_read_from_its_assets_and_from_those_of_before(file):
    archive = opened(file).archive
    for assets in (archive.to_assets(), old_assets(archive)):
        read = Archive.from_assets(as_today(assets))
        assert list(read.users) == list(archive.users)
        assert list(read.items) == list(archive.items)
        assert list(read.titles) == list(archive.titles)
        assert np.array_equal(read.seen.items, archive.seen.items)
    wrong = old_assets(archive)["users_ends"].copy()
    wrong[0] = 10**6
    with pytest.raises(RunError, match="damaged"):
        as_today({**old_assets(archive), "users_ends": wrong})


def test_a_model_of_an_old_file_has_the_schema_and_assets_of_today():
    old, new = genkit.load(OLD / "mult-vae", genkit.activate()), genkit.open_data(OLD / "mult-vae")
    assert old.schema == new.schema
    assert old.assets.keys() == new.assets.keys()
    assert all(np.array_equal(old.assets[name], new.assets[name]) for name in new.assets)


@pytest.mark.parametrize("part", ["", "model"])
def test_an_old_run_and_its_export_recommend_as_they_did(part):
    with np.load(OLD / "expected.npz") as expected:
        assert np.allclose(make.scores_of(OLD / "mult-vae" / part), expected["scores"], atol=1e-4)


def test_an_old_run_is_evaluated_as_it_was():
    with np.load(OLD / "expected.npz") as expected:
        found = make.figure_of(OLD / "mult-vae")
        assert found == pytest.approx(float(expected["ndcg@10"]), abs=1e-4)


@pytest.mark.filterwarnings("ignore:Since the run began")  # on another machine, or backend
def test_an_old_run_goes_on_as_it_would_have():
    found = make.resumed(OLD / "mult-vae")
    with np.load(OLD / "expected.npz") as expected:
        right = expected["resumed"]
    assert np.array_equal(found[-1], right[-1])  # of nothing: by popularity
    at_home = genkit.activate() == "jax"  # elsewhere dropout draws other numbers
    assert np.allclose(found, right, atol=1e-2 if at_home else np.ptp(right[:-1]))
