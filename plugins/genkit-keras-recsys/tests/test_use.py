"""From a run to recommendations: verbs, histories of strangers, filters, reasons, grown data."""

import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
from data import rows, settings, write
from genkit_recsys.archive import Archive
from genkit_recsys.index import ItemIndex
from genkit_recsys.recommending import Filters, Request
from pyarrow import parquet
from small import SETTINGS, lists
from typer.testing import CliRunner

import genkit
from genkit.cli import app
from genkit.errors import GenkitError, RunError, UsageError

KEYS = {"id", "title", "score", "because"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("use")


@pytest.fixture(scope="module")
def data(folder):
    """Write interactions, and items with titles and genres; give the settings that open them."""
    titles = [(f"item {i}", f"Film {i}, The ({1950 + i})", genre(i)) for i in range(45)]
    items = write(folder / "items.csv", titles, ("item_id", "title", "genre"))
    clicks = write(folder / "clicks.csv", rows())
    return settings(clicks, items_path=str(items), title_column="title", attribute_column="genre")


def genre(item):
    return "|".join([("Drama", "War", "Comedy")[item % 3], "Old" if item < 20 else "New"])


@pytest.fixture(scope="module")
def run(folder, data):
    """Train a model by name; each once."""
    made = {}

    def train(name, **more):
        key = (name, *more)
        if key not in made:
            length = (
                {}
                if name in {"ease", "popularity", "item-knn"}
                else {"steps": {"cfgan": 200}.get(name, 60)}
            )
            made[key] = genkit.train(
                name, dataset="interactions", data=data, config=SETTINGS[name], batch_size=32,
                runs_dir=folder / "runs", name="-".join(key), verbose=False, **length, **more,
            ).path  # fmt: skip
        return made[key]

    return train


def call(*words):
    """Call the command line in this process; give its exit code, and what it prints or raises."""
    done = CliRunner().invoke(app, [*map(str, words)], standalone_mode=False)
    if isinstance(done.exception, GenkitError):
        return done.exception.exit_code, done.stdout, str(done.exception)
    if done.exception is not None:
        raise done.exception
    return done.return_value or 0, done.stdout, ""


def told(*words):
    code, out, error = call(*words, "--json")
    assert code == 0, error
    return json.loads(out)


def test_with_json_there_is_one_object_on_stdout_and_nothing_else(run):
    words = ("recommend", str(run("ease")), "--user", "user 3", "-k", "2", "--json")
    done = subprocess.run(
        [sys.executable, "-m", "genkit", *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "KERAS_BACKEND": keras.config.backend()},
    )
    assert set(json.loads(done.stdout)) == {"run", "items"}


def test_recommend_prints_items_with_id_title_score_and_reasons(run):
    found = told("recommend", run("ease"), "--user", "user 3", "-k", 4)
    assert set(found) == {"run", "items"}
    assert [set(item) for item in found["items"]] == [KEYS] * 4
    scores = [item["score"] for item in found["items"]]
    assert scores == sorted(scores, reverse=True)
    assert all(item["title"].startswith("Film") for item in found["items"])
    assert all(item["because"] for item in found["items"])
    code, out, _ = call("recommend", run("ease"), "--history", "Film 3, The (1953),item 6")
    assert code == 0
    assert "because" in out
    assert "By a history of 2 items, among 45" in out


def test_recommend_teaches_and_refuses_in_one_line(run):
    assert "--history" in call("recommend", "--help")[1]
    for words, said in (
        (("--user", "nobody"), "knows no user 'nobody'"),
        (("--history", "Film 3, Th"), "Did you mean 'Film 3, The (1953)' or"),
        (("--user", "user 1", "--where", "Wstern"), "there are Comedy, Drama, New, Old, War."),
        (("--user", "user 1", "--where", "not:drma"), "Did you mean 'Drama'?"),
        ((), "one of --user, --history and --all"),
    ):
        code, _, err = call("recommend", run("ease"), *words)
        assert (code, said in err) == (2, True), err
        assert "\n" not in err


@pytest.mark.parametrize("name", SETTINGS)
def test_every_model_recommends_to_strangers_in_the_same_way(run, name):
    model = genkit.load(run(name))
    history = tuple(model.archive.items_named("Film 3, The (1953), Film 6, The (1956),item 9"))
    assert len(history) == 3
    (found,) = model.recommend([Request(history)], k=5)
    assert len({each.item for each in found}) == 5
    assert not {each.item for each in found} & set(history)
    assert all(set(each.because) <= set(history) for each in found)
    if name != "popularity":
        assert any(each.because for each in found)
        own = sum(int(model.archive.items[each.item].split()[1]) % 3 == 0 for each in found)
        assert own >= 3  # of the stranger's taste


def test_reasons_of_a_linear_model_are_its_own_parts_of_the_score(run):
    model = genkit.load(run("item-knn"))
    history = (4, 10, 22)
    (found,) = model.recommend([Request(history)], k=3, reasons=3)
    for each in found:
        parts = {i: float(model._similar[i, each.item]) for i in history}
        heaviest = sorted((i for i in history if parts[i] > 0), key=lambda i: -parts[i])
        assert list(each.because) == heaviest


def test_filters_for_attributes_are_kept(run):
    model = genkit.load(run("ease"))
    request = [Request((3, 6))]
    (found,) = model.recommend(request, k=20, having=("drama",), lacking=("old",))
    genres = {model.archive.attributes[each.item] for each in found}
    assert genres == {"Drama|New"}
    (seen,) = model.recommend(request, k=45, exclude_seen=False)
    assert {3, 6} <= {each.item for each in seen}


def test_diversity_makes_lists_less_alike_and_novelty_less_popular(run):
    from genkit_recsys.recommending import similarities

    model = genkit.load(run("ease"))
    request = [Request((3, 6, 9))]

    def likeness(**filters):
        (found,) = model.recommend(request, k=6, **filters)
        similar = similarities(model.archive, np.array([each.item for each in found]))
        return similar[~np.eye(6, dtype=bool)].mean()

    def popularity(**filters):
        (found,) = model.recommend(request, k=6, **filters)
        return model.archive.popularity[[each.item for each in found]].mean()

    assert likeness(diversity=0.8) < likeness()
    assert popularity(novelty=3.0) < popularity()
    with pytest.raises(UsageError, match="diversity from 0 to 1"):
        Filters(diversity=2)


def test_all_users_are_written_to_parquet(run, tmp_path):
    out = tmp_path / "all.parquet"
    found = told("recommend", run("ease"), "--all", "--out", out, "-k", 3)
    table = parquet.read_table(out).to_pydict()
    assert list(table) == ["user", "rank", "id", "title", "score"]
    assert found == {"out": str(out), "users": 60, "rows": 180, "index": None}
    assert table["rank"][:4] == [1, 2, 3, 1]
    model = genkit.load(run("ease"))
    number = model.archive.user_number(table["user"][0])
    (one,) = model.recommend([Request(tuple(model.archive.seen[number].tolist()), number)], k=3)
    assert table["id"][:3] == [model.archive.items[each.item] for each in one]
    assert not list(tmp_path.glob(".*partial"))


@pytest.mark.parametrize("name", ["bpr", "mult-vae", "sasrec", "recvae"])
def test_an_approximate_index_finds_what_the_exact_search_finds(run, name):
    model = genkit.load(run(name))
    users = np.flatnonzero(model.archive.seen.lengths).astype(np.int32)
    index = ItemIndex(model)
    assert index.measure_recall(users, Filters(k=5))["recall"] > 0.95
    _, items, scores = next(index.rankings(users, Filters(k=5)))
    histories = model.archive.seen.take(users)
    exact = np.take_along_axis(model.scores(histories, users), items, axis=1)
    assert np.allclose(scores, exact, atol=1e-3)
    assert not histories.contains(np.repeat(np.arange(60), 5), items.ravel()).any()


def test_the_lists_of_an_index_do_not_depend_on_how_many_users_are_ranked_at_once(run, monkeypatch):
    model = genkit.load(run("sasrec"))
    index, users = ItemIndex(model), np.arange(5, dtype=np.int32)

    def lists():
        return [(len(block), items) for block, items, _ in index.rankings(users, Filters(k=4))]

    ((n, together),) = lists()
    monkeypatch.setattr("genkit_recsys.ranking._BLOCK_BYTES", 1)
    alone = lists()
    assert (n, [size for size, _ in alone]) == (5, [1] * 5)
    assert np.array_equal(np.concatenate([items for _, items in alone]), together)


def test_a_model_without_item_vectors_has_no_index(run):
    with pytest.raises(UsageError, match="EASE has none"):
        ItemIndex(genkit.load(run("ease")))


def test_the_exported_model_holds_all_and_nothing_is_pickled(run, tmp_path):
    path = shutil.copytree(run("mult-vae") / "model", tmp_path / "moved")
    names = {file.name for file in path.iterdir()}
    assert names == {"config.json", "weights.safetensors", "assets.safetensors", "README.md"}
    assert not any(file.read_bytes().startswith(b"\x80") for file in path.iterdir())
    moved, kept = genkit.load(path), genkit.load(run("mult-vae"))
    assert moved.archive.users == kept.archive.users
    assert np.array_equal(moved.archive.popularity, kept.archive.popularity)
    request = [Request((3, 6))]
    assert moved.recommend(request) == kept.recommend(request)
    found = told("recommend", path, "--user", "user 3", "-k", 2)
    assert len(found["items"]) == 2


@pytest.mark.parametrize("damage", ["seen_items", "vocabulary.user", "titles"])
def test_a_damaged_archive_is_refused(run, damage):
    assets = dict(genkit.load(run("ease")).assets)
    wrong = assets[damage].copy()
    wrong[0] = 10**6 if damage == "seen_items" else 250
    with pytest.raises(RunError, match="damaged"):
        Archive.from_assets({**assets, damage: wrong})


def test_evaluate_prints_figures_with_their_protocol(run):
    found = told("evaluate", run("ease"))
    figures = {figure["name"]: figure for figure in found["metrics"]}
    assert figures["ndcg@10"]["card"]["split"] == "test"
    validation = told("evaluate", run("ease"), "--split", "validation")["metrics"]
    other = next(f for f in validation if f["name"] == "ndcg@10")
    assert other["card"]["guessed"] == "validation events"
    assert other["value"] != figures["ndcg@10"]["value"]


def test_two_recommenders_are_compared_user_by_user(run):
    found = told("compare-recommenders", run("ease"), run("popularity"))
    assert found["difference"] > 0 > found["low"] - 1
    assert found["p"] < 0.01
    assert found["users"] == 60
    first, second = (figure["value"] for figure in found["figures"])
    assert found["difference"] == pytest.approx(first - second)
    _, out, _ = call("compare-recommenders", run("ease"), run("popularity"))
    assert f"{run('ease')} minus {run('popularity')}: {found['difference']:+.4f} (" in out


def test_what_is_no_recommender_is_not_compared_with_one(run, folder):
    vae = genkit.train("vae", dataset="digits", steps=1, runs_dir=folder, name="vae", verbose=False)
    code, _, error = call("compare-recommenders", run("ease"), vae.path)
    assert (code, "can't be compared" in error) == (2, True), error


@pytest.mark.parametrize("name", ["bpr", "mult-vae", "mult-dae", "sasrec", "recvae", "cfgan"])
def test_training_on_grown_data_starts_from_the_old_run_by_ids(run, folder, data, name):
    table = [*rows(), *(("new user", f"item {i}", 5, 9000 + i) for i in (3, 6, 9, 12, 15))]
    table += [(f"user {u}", "a new item", 5, 9999) for u in range(0, 30, 3)]
    clicks = write(folder / "grown.csv", table)
    grown = genkit.train(
        name, dataset="interactions", data={**data, "path": str(clicks)}, config=SETTINGS[name],
        batch_size=32, steps=0, init=str(run(name)), runs_dir=folder / "runs",
        name=f"{name}-grown", verbose=False,
    ).path  # fmt: skip
    left_out = json.loads((grown / "environment.json").read_text())["init"]["left_out"]
    assert left_out == {}
    old, new = genkit.load(run(name)), genkit.load(grown)
    assert new.n_items == old.n_items + 1
    assert "new user" in new.archive.users
    # The same history has the same scores for the items that both know, whatever their numbers.
    both = [item for item in old.archive.items if item in new.archive.item_numbers]
    ids = ["item 3", "item 6", "item 9"]
    scores = []
    for model in (old, new):
        numbers = model.archive.item_numbers
        (found,) = model.scores(lists([numbers[i] for i in ids], n_items=model.n_items))
        scores.append(found[[numbers[i] for i in both]])
    if name == "bpr":  # a stranger's vector is solved for among all items, the new one too
        assert np.corrcoef(*scores)[0, 1] > 0.95
    else:
        assert np.allclose(*scores, atol=1e-4)
