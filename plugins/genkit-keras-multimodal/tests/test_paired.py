"""Data sets joined by label: who is with whom, what is counted, what is refused."""

import numpy as np
import pytest
from genkit_multimodal.data.paired import PairedSource
from small import labelled, unlabelled

import genkit
from genkit.errors import DataError, UsageError


def pairs_of(source):
    return source.gather(np.arange(len(source)))


def joined(first, second, **settings):
    return PairedSource(
        {"left": labelled(first, field="left"), "right": labelled(second, field="right")},
        **settings,
    )


def test_partners_are_of_one_class_and_all_take_turns():
    source = joined([0, 0, 0, 0, 1, 1], [1, 0, 0, 1, 1])
    batch = pairs_of(source)
    lefts, rights = (batch[name][:, 0].astype(int) for name in ("left", "right"))
    assert len(source) == 4 + 3, "the larger of each class says how many"
    first, second = np.array([0, 0, 0, 0, 1, 1]), np.array([1, 0, 0, 1, 1])
    assert (first[lefts] == second[rights]).all()
    np.testing.assert_array_equal(first[lefts], batch["class"])
    assert sorted(rights[batch["class"] == 0]) == [1, 1, 2, 2]
    assert set(rights[batch["class"] == 1]) == {0, 3, 4}


def test_pairs_follow_from_the_seed():
    numbers = np.arange(60) % 3
    first, again, other = (joined(numbers, numbers, seed=seed) for seed in (1, 1, 2))
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()
    np.testing.assert_array_equal(first.rows, again.rows)
    assert not np.array_equal(first.rows, other.rows)


def test_each_item_may_be_in_several_pairs():
    source = joined([0, 0, 1], [0, 0, 1], per_item=3)
    assert len(source) == 9
    assert np.bincount(source.rows[0]).tolist() == [3, 3, 3]


def test_classes_are_the_same_by_name_whatever_their_numbers():
    first = labelled([0, 1], field="left", classes=("cat", "dog"))
    second = labelled([0, 1], field="right", classes=("dog", "cat"))
    source = PairedSource({"left": first, "right": second})
    batch = pairs_of(source)
    assert source.classes == ("cat", "dog")
    assert (batch["left"][:, 0] != batch["right"][:, 0]).all()


def test_items_without_a_partner_are_counted_and_told():
    source = joined([0, 0, 2], [0, 1, 1])
    assert source.classes == ("a",)
    assert source.left_out == {
        "left: no partner of the class 'c'": 1,
        "right: no partner of the class 'b'": 2,
    }
    with pytest.warns(UserWarning, match=r"left out: left: no partner of the class 'c' 1"):
        source.tell()


def test_what_can_not_be_joined_is_refused():
    first = labelled([0, 0])
    with pytest.raises(DataError, match="data with labels to join; second has vector"):
        PairedSource({"first": first, "second": unlabelled()})
    with pytest.raises(DataError, match="classes in common; they have none"):
        joined([0, 0], [1, 1])


def test_two_fields_of_one_name_bear_the_name_of_their_set():
    source = PairedSource({"a-set": labelled([0]), "other": labelled([0])})
    assert list(source.schema.fields) == ["a_set_vector", "other_vector", "class"]


def test_unequal_sets_are_told_in_training_and_test_pairs_are_fixed():
    settings = {"sets": ["digits", "mnist"], "settings": ["mnist.limit=500", "digits.limit=100"]}
    with pytest.warns(UserWarning, match=r"pairs of 100 of digits, 500 of mnist"):
        source = genkit.open_dataset("paired", settings)
    assert list(source.schema.fields) == ["digits_image", "mnist_image", "class"]
    tests = [
        genkit.open_dataset("paired", {**settings, "pair_seed": seed, "per_item": 2}, unseen=True)
        for seed in (0, 1)
    ]
    assert tests[0].fingerprint() == tests[1].fingerprint()


def test_the_label_is_a_modality_where_it_is_named():
    source = genkit.open_dataset("paired", {"sets": "digits label"}, unseen=True)
    assert len(source) == 297
    assert source.schema["label"].modality == "label"
    assert len(genkit.open_dataset("paired", {"sets": "digits label", "limit": 5})) == 5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"sets": "digits"}, "two or more names"),
        ({"sets": "digits digits"}, "each once"),
        ({"sets": "digits mnist", "settings": "digits.split=test"}, "KEY not split"),
        ({"sets": "digits mnist", "settings": "emnist.limit=1"}, "SET one of digits, mnist"),
        ({"sets": "digits label", "settings": "digits.limt=1"}, "no setting 'limt'"),
    ],
)
def test_a_wrong_setting_is_told(settings, told):
    with pytest.raises(UsageError, match=told):
        genkit.open_dataset("paired", settings)
