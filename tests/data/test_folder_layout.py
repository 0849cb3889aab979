"""What the folders around images mean: splits or classes, told apart, said or refused."""

import warnings

import numpy as np
import pytest

from genkit.errors import DataError
from genkit.evaluation.inputs import open_reference
from genkit.evaluation.results import Weights
from genkit.plugins.registry import installed
from tests.data.folders import opened, paint, paint_all

pytestmark = pytest.mark.once


def sizes(folder, *splits):
    return [len(opened(folder, split=split)) for split in splits]


def test_sub_folders_are_labels(tmp_path):
    paint_all(tmp_path, "dog/x.png", "cat/y.png", "cat/siamese/z.png")
    source = opened(tmp_path)
    assert source.schema["label"].classes == ("cat", "dog")
    assert source.gather(np.arange(3))["label"].tolist() == [0, 0, 1]


def test_a_stray_image_that_costs_the_labels_is_told(tmp_path):
    paint_all(tmp_path, "dog/x.png", "cat/y.png", "cat/z.png", "stray.png")
    with pytest.warns(UserWarning, match=r"not taken for classes: 1 of 4 .*stray\.png"):
        assert "label" not in opened(tmp_path).schema


def test_a_folder_of_images_with_a_few_more_below_has_no_classes_and_no_warning(tmp_path):
    paint_all(tmp_path, "1.png", "2.png", "more/3.png")
    assert "label" not in opened(tmp_path).schema


def test_train_and_test_folders_are_splits_that_share_their_classes(tmp_path):
    paint_all(tmp_path, "train/a/1.png", "train/b/2.png", "train/c/0.png")
    paint_all(tmp_path, "test/b/3.png", "test/c/4.png", "test/c/5.png")
    assert sizes(tmp_path, "train", "test", "all") == [3, 3, 6]
    assert opened(tmp_path).schema["label"].classes == ("a", "b", "c")
    assert opened(tmp_path, split="test").arrays["label"].tolist() == [1, 2, 2]


@pytest.mark.parametrize(
    ("train", "test"),
    [
        *(
            ("train_set", "test_set"),
            ("Training-Images", "Testing-Images"),
            ("trainset", "testset"),
        ),
        *(("train2017", "val2017"), ("seg_train", "seg_test"), ("x.train", "x.dev")),
    ],
)
def test_splits_with_one_affix_are_splits(tmp_path, train, test):
    paint_all(tmp_path, f"{train}/a/1.png", f"{train}/b/2.png", f"{test}/a/3.png")
    source = opened(tmp_path)
    assert (len(source), source.schema["label"].classes) == (2, ("a", "b"))
    paint_all(tmp_path / "data", f"{train}/a/1.png", f"{test}/a/3.png")
    with pytest.raises(DataError, match="Expected splits or classes .* received data, which holds"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "classes",
    [
        *(("freight_train", "passenger_train"), ("test_tube", "train_track")),
        *(
            ("train_car", "apple"),
            ("trainer", "tester"),
            ("contest", "restrain"),
            ("train_set", "a"),
        ),
    ],
)
def test_classes_in_whose_names_a_split_stands_are_classes(tmp_path, classes):
    paint_all(tmp_path, *(f"{name}/1.png" for name in classes))
    assert opened(tmp_path).schema["label"].classes == tuple(sorted(classes))


def test_a_class_without_training_images_is_told(tmp_path):
    paint_all(tmp_path, "train/a/1.png", "train/Dog/2.png", "test/dog/3.png")
    with pytest.warns(UserWarning, match="1 of 3 classes have no images for training.*'dog'"):
        opened(tmp_path)
    assert len(opened(tmp_path, split="test")) == 1


def test_a_limit_that_leaves_classes_out_is_told(tmp_path):
    paint_all(tmp_path, "a/1.png", "a/2.png", "b/1.png", "b/2.png")
    with pytest.warns(UserWarning, match="1 of 2 classes .*'b'; limit takes the first .*per_class"):
        assert len(opened(tmp_path, limit=2)) == 2
    assert opened(tmp_path, per_class=1).arrays["label"].tolist() == [0, 1]


@pytest.mark.parametrize(
    "names",
    [
        ("train", "val", "test"),
        ("Train", "Valid", "Test"),
        ("training", "validation", "testing"),
        ("TRAIN", "dev", "test"),
    ],
)
def test_folders_of_any_usual_name_are_splits(tmp_path, names):
    for count, name in enumerate(names, start=1):
        paint_all(tmp_path, *(f"{name}/{k}/{i}.png" for k in "ab" for i in range(count)))
    assert sizes(tmp_path, "train", "validation", "test", "all") == [2, 4, 6, 12]
    assert sizes(tmp_path, *names, names[1].upper()) == [2, 4, 6, 4]
    assert opened(tmp_path).schema["label"].classes == ("a", "b")


@pytest.mark.parametrize("extra", ["__MACOSX", "annotations", "empty", ".git"])
def test_a_folder_without_images_changes_nothing(tmp_path, extra):
    paint_all(tmp_path, "train/a/1.png", "test/a/2.png")
    (tmp_path / extra / "a").mkdir(parents=True)
    (tmp_path / extra / "a" / "._1.png").write_bytes(b"x")
    (tmp_path / extra / "boxes.xml").write_text("<x/>")
    assert sizes(tmp_path, "train", "test", "all") == [1, 1, 2]


def test_images_beside_the_splits_are_counted(tmp_path):
    paint_all(tmp_path, "train/1.png", "test/2.png", "logo.png")
    with pytest.warns(UserWarning, match=r"outside the splits 1 \(first: logo\.png\)"):
        assert opened(tmp_path).left_out == {"outside the splits": 1}


def test_a_split_that_is_not_there_says_which_are(tmp_path):
    paint_all(tmp_path, "train/1.png", "val/2.png")
    with pytest.raises(
        DataError, match="split test in .*received train and validation.*: train, valid"
    ):
        opened(tmp_path, split="test")
    with pytest.raises(DataError, match="Expected a folder 'test'.*another split: train, all"):
        opened(paint(tmp_path / "val" / "2.png").parent, split="test")


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (("train/a.png", "test/b.png", "masks/c.png"), "train, test beside masks.*path=.*/train"),
        (("Train/a.png", "TEST/b.png", "extra/c.png"), "Train, TEST beside extra"),
        (("val/a.png", "test/b.png", "cat/c.png"), "val, test beside cat"),
        (("val/a.png", "valid/b.png", "train/c.png"), "split validation; received val and valid"),
        (("train/a.png", "Train/b.png"), "split train; received Train and train"),
        (("photos/train/a.png", "photos/test/b.png"), r"photos, which holds test, train.*/photos"),
        (
            ("cat/train/a.png", "cat/val/b.png", "dog/train/c.png"),
            "put the splits first: train/cat",
        ),
        (("x/Train/k/a.png", "x/Test/k/b.png"), "x, which holds Test, Train"),
    ],
)
def test_folders_that_may_be_splits_or_classes_are_refused(tmp_path, images, message):
    paint_all(tmp_path, *images)
    with pytest.raises(DataError, match=message):
        opened(tmp_path)


def test_a_folder_that_happens_to_be_called_train_is_a_class(tmp_path):
    paint_all(tmp_path, "plane/1.png", "train/2.png")
    assert opened(tmp_path).schema["label"].classes == ("plane", "train")
    with pytest.raises(DataError, match="Expected a folder 'test'"):
        opened(tmp_path, split="test")


def test_a_class_that_looks_like_a_split_is_told(tmp_path):
    paint_all(tmp_path, "train/cat/1.png", "train/dog/2.png", "masks/3.png")
    with pytest.warns(UserWarning, match=r"train is taken for a class, beside masks; .*/train"):
        assert opened(tmp_path).schema["label"].classes == ("masks", "train")


def test_a_class_with_folders_of_its_own_is_no_split(tmp_path):
    paint_all(tmp_path, "cat/train/1.png", "cat/2.png", "dog/test/3.png")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert opened(tmp_path).schema["label"].classes == ("cat", "dog")


def test_an_evaluation_names_the_split_by_its_own_name(tmp_path):
    paint_all(tmp_path, "train/1.png", "val/2.png")
    exported = Weights(tmp_path, None, "")
    given = (exported, installed(), "image-folder", {"path": str(tmp_path)})
    assert open_reference(*given, "val").split == "validation"
