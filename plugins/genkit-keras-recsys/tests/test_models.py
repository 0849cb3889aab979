"""Each model: what its paper says of it, and that it learns the tastes that are in the data."""

import dataclasses
import random

import numpy as np
import pytest
from data import opened, rows, write
from genkit_recsys.evaluating import measure
from genkit_recsys.histories import Histories
from small import SETTINGS, build, lists, trained

import genkit
from genkit.data import ColumnSource, Loader
from genkit.errors import UsageError

TRAINED = ("bpr", "mult-vae", "mult-dae", "sasrec", "recvae", "cfgan")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write(tmp_path_factory.mktemp("data") / "clicks.csv", rows())


@pytest.fixture(scope="module")
def models(file):
    """Return each trained model; train it when it is first asked for."""
    source, made = opened(file), {}

    def get(name):
        if name not in made:
            made[name] = trained(name, source)
        return made[name]

    return get


def quality(model, file):
    return measure(model, opened(file, split="test")).values["ndcg@10"].mean()


@pytest.mark.parametrize("name", [n for n in SETTINGS if n != "popularity"])
def test_every_model_learns_what_popularity_can_not_know(models, file, name):
    assert quality(models(name), file) > 1.5 * quality(models("popularity"), file)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_score_does_not_depend_on_who_else_is_scored(models, name):
    histories = lists([1, 4, 7], [2], [5, 8], [0, 3, 6, 9])
    together = models(name).scores(histories)
    assert together.shape == (4, models(name).n_items)
    assert together.dtype == np.float32
    alone = np.concatenate([models(name).scores(histories.take(np.array([r]))) for r in range(4)])
    assert np.allclose(together, alone, atol=1e-4 * np.ptp(together))


@pytest.mark.parametrize("name", SETTINGS)
def test_an_empty_history_is_scored_by_popularity(models, name):
    model = models(name)
    scores = model.scores(lists([], [1, 4]))
    assert np.array_equal(scores[0], model.archive.popularity)
    assert np.isfinite(scores).all()


def test_popularity_counts_training_users(models):
    model = models("popularity")
    seen = model.archive.seen
    counts = [sum(item in seen[u] for u in range(len(seen))) for item in range(model.n_items)]
    assert model.scores(lists([1]))[0].tolist() == counts


def test_item_knn_sums_shrunk_cosines_of_nearest_neighbours(file):
    source = opened(file)
    model = trained("item-knn", source, neighbours=4, shrink=2.0)
    x = source.histories.dense().astype(np.float64)
    common = x.T @ x
    norms = np.sqrt(np.diag(common))
    similar = common / (norms[:, None] * norms[None] + 2.0)
    np.fill_diagonal(similar, 0.0)
    for item in range(model.n_items):
        similar[np.argsort(-similar[:, item])[4:], item] = 0.0
    # Which of equally near neighbours is kept is open: their similarities are what counts.
    found = model.scores(source.histories)
    kept = np.sort(np.asarray(model.similarities), axis=1)[:, ::-1]
    assert np.allclose(kept, np.sort(similar.T, axis=1)[:, ::-1][:, :4], atol=1e-6)
    assert np.median(np.abs(found - x @ similar)) < 1e-6


@pytest.mark.parametrize("users", [60, 30])
def test_ease_is_the_least_squares_solution_with_a_diagonal_of_zeros(tmp_path, users):
    source = opened(write(tmp_path / "e.csv", rows(users=users)), split="all")
    model = trained("ease", source, l2=7.0)
    assert model.factored == (users < model.n_items)
    x = source.histories.dense().astype(np.float64)
    p = np.linalg.inv(x.T @ x + 7.0 * np.eye(model.n_items))
    b = -p / np.diag(p)
    np.fill_diagonal(b, 0.0)
    assert np.allclose(model.scores(source.histories), x @ b, atol=1e-4)


def test_bpr_draws_each_item_that_the_user_does_not_have_with_one_chance(file):
    source = opened(file)
    triples = build("bpr", source.schema).examples(source)
    assert len(triples) == len(source.histories.items)
    rng, counts = np.random.default_rng(0), np.zeros(source.histories.n_items)
    first = np.arange(source.histories.lengths[0])
    had = source.histories[0]
    assert triples.gather(first)["had"].tolist() == had.tolist()
    for _ in range(400):
        drawn = triples.draw(first, rng)["missed"]
        counts += np.bincount(drawn, minlength=len(counts))
    assert counts[had].sum() == 0
    free = np.delete(counts, had)
    expected = free.sum() / len(free)
    assert (np.abs(free - expected) < 6 * np.sqrt(expected)).all()


def test_bpr_scores_known_users_by_their_vectors_and_strangers_by_what_they_have(models):
    model = models("bpr")
    history = model.archive.seen.take(np.array([3]))
    known = model.scores(history, np.array([3]))[0]
    vectors, items = (np.asarray(e.embeddings) for e in (model.users, model.items))
    assert np.allclose(known, vectors[3] @ items.T, atol=1e-5)
    stranger = model.scores(history)[0]
    assert not np.allclose(known, stranger)
    best = set(np.argsort(-stranger)[:8].tolist()) & set(np.argsort(-known)[:8].tolist())
    assert len(best) >= 3


def test_mult_vae_anneals_its_kl_weight(file):
    model = build("mult-vae", opened(file).schema, kl_weight=0.4, annealing_steps=10)
    weights = [model.schedule(step)["beta"] for step in (0, 5, 10, 99)]
    assert weights == pytest.approx([0.0, 0.2, 0.4, 0.4])
    assert all(isinstance(weight, float) for weight in weights)  # an input, no new compilation


def test_the_multinomial_likelihood_is_that_of_the_paper():
    from genkit_recsys.models.autoencoder import multinomial_nll
    from keras import ops

    rng = np.random.default_rng(0)
    x, logits = (
        (rng.random((3, 7)) > 0.5).astype("float32"),
        rng.normal(size=(3, 7)).astype("float32"),
    )
    pi = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = ops.convert_to_numpy(multinomial_nll(ops.array(x), ops.array(logits)))
    assert np.allclose(found, -(x * np.log(pi)).sum(axis=1), atol=1e-4)


def test_sasrec_looks_at_the_order_and_never_ahead(models):
    model = models("sasrec")
    scores = model.scores(lists([1, 4, 7], [7, 4, 1]))
    assert not np.allclose(scores[0], scores[1], atol=1e-3)
    from keras import ops

    window = np.array([[3, 6, 9, 12, 15, 18, 21, 24]], "int32")
    changed = window.copy()
    changed[0, 5:] = 1
    states, others = (
        ops.convert_to_numpy(model._states(ops.array(w), training=False)) for w in (window, changed)
    )
    assert np.allclose(states[0, :5], others[0, :5], atol=1e-5)
    assert not np.allclose(states[0, 5:], others[0, 5:], atol=1e-3)


def test_sasrec_looks_at_the_newest_items_alone(models):
    model = models("sasrec")
    newest = [3, 6, 9, 12, 15, 18, 21, 24]
    scores = model.scores(lists(newest, [1, 2, *newest]))
    assert np.allclose(scores[0], scores[1], atol=1e-5)


def test_sasrec_windows_are_stretches_of_histories_in_order(file):
    source = opened(file)
    windows = build("sasrec", source.schema, length=4).examples(source)
    with Loader(windows, batch_size=len(windows), seed=0) as loader:
        batch = next(loader)["window"]
    stretches = {
        tuple(source.histories[row][start : start + 5].tolist())
        for row in range(len(source))
        for start in range(source.histories.lengths[row])
    }
    assert len(windows) > len(source)
    assert all(tuple(row[row >= 0].tolist()) in stretches for row in batch)


def test_sasrec_with_sampled_softmax_learns_too(models, file):
    model = trained("sasrec", opened(file), loss="sampled", negatives=64)
    assert quality(model, file) > 1.5 * quality(models("popularity"), file)


def test_recvae_holds_on_to_an_older_encoder(file):
    source = opened(file)
    model = build("recvae", source.schema, refresh_every=2)
    start = [np.array(w) for w in model.encoder.get_weights()]

    def are_equal(some, others):
        return all(np.allclose(a, b, atol=1e-7) for a, b in zip(some, others, strict=True))

    model.fit(source, steps=1, batch_size=8, verbose=False)
    assert are_equal(model.older.get_weights(), start)
    assert not are_equal(model.encoder.get_weights(), start)
    model.fit(source, steps=3, batch_size=8, verbose=False)  # refreshed after the second
    assert not are_equal(model.older.get_weights(), start)
    assert not are_equal(model.older.get_weights(), model.encoder.get_weights())


def test_cfgan_shows_the_discriminator_masked_vectors_only(file):
    from keras import ops

    model = build("cfgan", opened(file).schema, masked_share=0.0)
    histories = lists([1, 4, 7], [2])
    had, (items, lengths) = histories.dense(), histories.padded()
    lots = np.random.default_rng(0).random(had.shape, dtype="float32")
    batch = {"history": items, "history_length": lengths, "mask_lot": lots, "zero_lot": lots}
    batch = {name: ops.array(array) for name, array in batch.items()}
    _, shown = model._shown(batch)
    assert (ops.convert_to_numpy(shown)[had == 0] == 0).all()
    assert (ops.convert_to_numpy(shown)[had == 1] > 0).all()


@pytest.mark.parametrize("form", ["numbers", "rows"])
@pytest.mark.parametrize("name", ["ease", "bpr", "mult-vae", "sasrec"])
def test_a_model_trains_on_any_source_with_the_same_fields(file, name, form):
    source = opened(file)
    other = {"numbers": of_numbers, "rows": of_rows}[form](source)
    found = []
    for each in (source, other):
        random.seed(0)  # one start for both
        model = build(name, each.schema)
        if hasattr(model, "solve"):
            model.solve(each)
        else:
            model.fit(each, steps=2, batch_size=8, verbose=False)
        found.append(model.score_histories(source.histories, source.users))
    assert found[0].shape == (len(source), model.n_items)
    ordered = name in {"bpr", "sasrec"}  # dense rows know no order
    assert np.allclose(*found, atol=1e-5) == (form == "numbers" or not ordered)


def of_numbers(source):
    columns = {"history": [source.histories[row] for row in range(len(source))]}
    columns["user"] = np.ma.MaskedArray(source.users, source.users < 0)
    return ColumnSource(columns, source.schema, source.assets)


def of_rows(source):
    items = source.histories.n_items
    history = genkit.Field((items,), "float32", "interactions", range=(0, 1))
    schema = genkit.Schema({"history": history, "user": source.schema["user"]})
    columns = {"history": source.histories.dense(), "user": source.users}
    return ColumnSource(columns, schema, source.assets)


def test_interactions_of_an_unknown_number_of_items_are_refused(file):
    schema = opened(file).schema
    unknown = dataclasses.replace(schema["history"], vocabulary="", range=None)
    with pytest.raises(UsageError, match="the field has no range") as caught:
        build("mult-vae", schema.replace(history=unknown))
    assert "with_vocabulary" in caught.value.hint


def test_histories_are_sparse_and_become_dense_a_batch_at_a_time():
    huge = Histories.of_lists([[5, 1], [], [2_000_000]], 3_000_000)
    part = huge.take(np.array([2, 0]))
    assert [part[0].tolist(), part[1].tolist()] == [[2_000_000], [5, 1]]
    assert huge.last(3).tolist() == [[-1, 5, 1], [-1, -1, -1], [-1, -1, 2_000_000]]
    assert huge.contains(np.array([0, 0, 1]), np.array([1, 2, 5])).tolist() == [True, False, False]
