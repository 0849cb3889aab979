"""Items found by what people call them: titles, ids, and what may be either."""

import pytest
from genkit_recsys.archive import Archive
from small import lists

from genkit.errors import UsageError

TITLES = {
    "1": "Same",
    "2": "Same",
    "3": "4",
    "4": "Film",
    "5": "5",
    "6": "IT",
    "7": "It",
    "8": "A, B",
    "9": "A,B",
    "10": "id:3",
    "11": "Three",
    "12": "same",
}


@pytest.fixture(scope="module")
def archive():
    items = tuple(TITLES)
    seen = lists(range(12), [0, 1], n_items=12)
    return Archive(("a", "b"), items, tuple(TITLES.values()), ("",) * 12, seen)


def found(archive, text):
    return [archive.items[item] for item in archive.items_named(text)]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("Film", "4"),
        ("film", "4"),
        ("1", "1"),
        ("5", "5"),
        ("IT", "6"),
        ("It", "7"),
        ("id:4", "4"),
        ("id:5", "5"),
        ("id:3", "3"),
        ("same", "12"),
        ("A, B", "8"),
        ("A,B", "9"),
    ],
)
def test_a_name_that_means_one_item_finds_it(archive, name, wanted):
    assert found(archive, name) == [wanted]


@pytest.mark.parametrize(
    ("name", "listed"),
    [
        ("Same", "2: id:1 (Same), id:2 (Same)"),
        ("SAME", "3: id:1 (Same), id:2 (Same), id:12 (same)"),
        ("4", "2: id:3 (4), id:4 (Film)"),
        ("it", "2: id:6 (IT), id:7 (It)"),
        ("Film, Same", "2: id:1 (Same), id:2 (Same)"),
    ],
)
def test_a_name_that_means_several_items_is_refused_with_their_ids(archive, name, listed):
    with pytest.raises(UsageError) as caught:
        archive.items_named(name)
    assert f"may be any of {listed}." in caught.value.message
    first = listed.partition("id:")[2].partition(" ")[0]
    assert caught.value.hint == f"Name it by its id: id:{first}"
    assert found(archive, f"id:{first}") == [first]


def test_of_many_items_of_one_title_some_are_listed_and_the_others_counted():
    items = tuple(map(str, range(50)))
    archive = Archive(("a",), items, ("Same",) * 50, ("",) * 50, lists([0], n_items=50))
    with pytest.raises(UsageError, match=r"any of 50: id:0 \(Same\), .* and 45 more"):
        archive.item_number("Same")


def test_a_name_that_means_none_is_refused_with_the_nearest(archive):
    for name, hint in (("Fil", "'Film'"), ("id:77", "Did you mean"), ("zzzz", "its id")):
        with pytest.raises(UsageError, match="knows no item") as caught:
            archive.items_named(name)
        assert hint in caught.value.hint


def test_a_title_of_several_items_is_shown_with_the_id(archive):
    shown = [archive.name(item) for item in (0, 1, 3, 5)]
    assert shown == ["Same (id:1)", "Same (id:2)", "Film", "IT (id:6)"]
