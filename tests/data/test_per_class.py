"""Balanced subsets of the image data sets."""

import numpy as np
import pytest
from PIL import Image

from genkit.builtin.datasets.digits import DigitsConfig, open_digits
from genkit.builtin.datasets.image_folder import ImageFolderConfig, open_image_folder
from genkit.builtin.datasets.npz import NpzConfig, open_npz
from genkit.data import rows_per_class
from genkit.errors import DataError


def labels_of(source):
    return source.gather(np.arange(len(source)))["label"]


def test_each_class_has_as_many_items_and_the_seed_chooses_them():
    first, again, other = (
        open_digits(DigitsConfig(per_class=7, subset_seed=seed)) for seed in (1, 1, 2)
    )
    assert np.bincount(labels_of(first)).tolist() == [7] * 10
    assert first.fingerprint() == again.fingerprint() != other.fingerprint()


def test_a_smaller_subset_is_part_of_a_larger_one():
    labels = np.arange(1000) % 10
    small, large = (set(rows_per_class(labels, 10, n, seed=3).tolist()) for n in (5, 20))
    assert small < large
    assert len(large) == 200


def test_the_draw_is_the_same_on_every_machine():
    assert rows_per_class(np.arange(12) % 2, 2, 2, seed=0).tolist() == [3, 5, 6, 10]


def test_subsets_of_a_seed_share_no_item_until_all_are_used():
    labels = np.arange(40) % 2
    first, second, third, fourth = (
        set(rows_per_class(labels, 2, 6, 1, subset).tolist()) for subset in range(4)
    )
    assert len(first | second | third) == 3 * 12
    assert len(fourth) == 12
    assert fourth & (first | second | third)


def test_a_subset_of_images_is_chosen_by_a_setting():
    opened = [open_digits(DigitsConfig(per_class=7, subset=subset)) for subset in (0, 1)]
    images = [{image.tobytes() for image in each.gather(np.arange(70))["image"]} for each in opened]
    assert not images[0] & images[1]


def test_too_few_items_of_a_class_are_told():
    with pytest.raises(DataError, match="class 2 has 0"):
        rows_per_class(np.array([0, 1, 0, 1]), 3, 1, seed=0)


def test_own_images_and_arrays_have_subsets_too(tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(4):
            Image.new("L", (4, 4), index).save(tmp_path / "photos" / name / f"{index}.png")
    folder = open_image_folder(ImageFolderConfig(path=tmp_path / "photos", per_class=2))
    assert labels_of(folder).tolist() == [0, 0, 1, 1]
    np.savez(tmp_path / "x.npz", image=np.zeros((8, 4, 4), "uint8"), y=np.arange(8) % 2)
    arrays = open_npz(NpzConfig(path=tmp_path / "x.npz", label="y", per_class=3))
    assert np.bincount(labels_of(arrays)).tolist() == [3, 3]
    with pytest.raises(DataError, match="label"):
        open_npz(NpzConfig(path=tmp_path / "x.npz", per_class=3))
