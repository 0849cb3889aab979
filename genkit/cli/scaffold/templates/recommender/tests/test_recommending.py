"""What GenKit can't know: that what is recommended makes sense."""

import json
import subprocess
import sys

import pytest
from genkit.errors import DataError, UsageError

from genkit_myplugin.data import BOOKS, open_likes
from genkit_myplugin.model import ItemNeighbours
from genkit_myplugin.settings import ItemNeighboursConfig, LikesConfig


@pytest.fixture(scope="module")
def model():
    """The model, solved on made-up readers."""
    source = open_likes(LikesConfig())
    model = ItemNeighbours(ItemNeighboursConfig(), source.schema)
    model.fit(source)
    return model


@pytest.mark.parametrize("taste", BOOKS)
def test_it_recommends_the_rest_of_a_taste(model, taste):
    """Two of five books are liked: the other three come first, and say because of what."""
    first, second, *rest = BOOKS[taste]
    found = model.recommend([first, second], k=3)
    assert {each.title for each in found} == set(rest)
    assert {each.because for each in found} <= {first, second}


def test_without_a_history_the_popular_comes_first(model):
    """Scores are shares of people, and fall."""
    scores = [each.score for each in model.recommend([], k=15)]
    assert scores == sorted(scores, reverse=True)
    assert 0 < scores[0] <= 1


def test_what_is_known_is_not_recommended(model):
    """Asked for everything, it gives all but the history."""
    assert len(model.recommend(["Solaris", "We"], k=100)) == 13


def test_a_mistyped_title_is_told_with_the_right_one(model):
    """Nothing is guessed."""
    with pytest.raises(UsageError, match="Did you mean 'Solaris'"):
        model.recommend(["Solars"])


def test_likes_come_from_a_file(tmp_path):
    """Users and items are numbered in order of their names; other columns are left alone."""
    path = tmp_path / "likes.csv"
    path.write_text("user,item,when\nann,tea,1\nbob,tea,2\nann,jam,3\n", encoding="utf-8")
    source = open_likes(LikesConfig(path=path))
    assert source.schema["item"].classes == ("jam", "tea")
    assert source.arrays["item"].tolist() == [1, 1, 0]
    path.write_text("who,what\nann,tea\n", encoding="utf-8")
    with pytest.raises(DataError, match="Expected a column 'user'"):
        open_likes(LikesConfig(path=path))


def test_the_verb_prints_json(tmp_path):
    """From the command line to recommendations."""

    def genkit(*arguments):
        command = [sys.executable, "-m", "genkit", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    genkit("run", "myplugin", "--name", "mine")
    result = genkit(
        "recommend", "runs/mine", "--history", "Moby-Dick, Lord Jim", "-k", "3", "--json"
    )
    items = json.loads(result)["items"]
    assert [sorted(item) for item in items] == [["because", "id", "score", "title"]] * 3
    assert {item["title"] for item in items} < set(BOOKS["sea"])
