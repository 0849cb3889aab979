"""Images whose axes are in another order are refused, not trained on."""

import warnings

import numpy as np
import pytest

from genkit.builtin.datasets.npz import NpzConfig, open_npz
from genkit.data import ArraySource, as_source
from genkit.errors import DataError
from genkit.plugins.specs import Field, Schema

pytestmark = pytest.mark.once


def array(*shape):
    return np.arange(np.prod(shape), dtype="uint8").reshape(shape)


@pytest.fixture
def opened(tmp_path):
    def open_(images, **settings):
        np.savez(tmp_path / "x.npz", x=images)
        return open_npz(NpzConfig(path=tmp_path / "x.npz", **settings))

    return open_


OTHER = [
    ((20, 3, 16, 16), "channels first", r"numpy.moveaxis\(x, 1, -1\)"),
    ((20, 4, 16, 16), "channels first", "1, -1"),
    ((20, 1, 28, 28), "channels first", "1, -1"),
    ((20, 2, 8, 8), "channels first", "1, -1"),
    ((20, 3, 16, 24), "channels first", "1, -1"),
    ((3, 3, 16, 24), "channels first", "1, -1"),
    ((16, 16, 3, 20), "items last", r"numpy.moveaxis\(x, -1, 0\)"),
    ((28, 28, 1, 7), "items last", "-1, 0"),
    ((20, 16, 3, 24), "channels before the width", "2, -1"),
]
RIGHT = [
    (20, 16, 16, 3),
    (20, 16, 16, 1),
    (20, 3, 4, 3),
    (20, 4, 4, 16),
    (20, 1, 1, 64),
    (20, 16, 16, 8),
    (20, 8, 16, 32),
]


@pytest.mark.parametrize(("shape", "guess", "remedy"), OTHER)
def test_another_order_is_refused_with_the_remedy(opened, shape, guess, remedy):
    with pytest.raises(DataError, match=rf"looks like {guess}.*{remedy}.*channels=first"):
        opened(array(*shape))
    with pytest.raises(DataError, match=rf"looks like {guess}.*{remedy}.*ArraySource"):
        as_source({"x": array(*shape)})


@pytest.mark.parametrize("shape", RIGHT)
def test_the_usual_order_is_taken(opened, shape):
    assert opened(array(*shape)).schema["image"].shape == shape[1:]
    assert as_source(array(*shape)).schema["image"].shape == shape[1:]


def test_channels_first_can_be_said(opened):
    images = array(20, 3, 16, 12)
    made = opened(images, channels="first", transforms=("resize=16x12",))
    np.testing.assert_array_equal(made.arrays["image"], np.moveaxis(images, 1, -1))
    assert opened(images, channels="last").schema["image"].shape == (3, 16, 12)
    assert opened(images[:, 0], channels="first").schema["image"].shape == (16, 12, 1)


def test_one_image_is_not_many_narrow_ones(opened):
    with pytest.raises(DataError, match=r"looks like a single image.*x\[None\]"):
        opened(array(16, 16, 3))
    assert len(opened(array(16, 16, 3)[..., None])) == 16
    assert len(opened(array(16, 16, 16))) == 16


def test_a_source_of_ones_own_is_taken_as_it_says():
    schema = Schema({"image": Field((3, 16, 16), "uint8", "image", (0, 255))})
    source = ArraySource({"image": array(2, 3, 16, 16)}, schema)
    assert as_source(source) is source


@pytest.mark.parametrize(
    ("labels", "remedy"),
    [
        (np.eye(4), r"one-hot: labels.argmax\(1\)"),
        (np.zeros((4, 1), "int32"), r"labels\[:, 0\]"),
        (np.array([0.0, 1.0, 1.0, 2.0]), "return_inverse"),
        (np.array(["cat", "dog", "cat", "cat"]), "return_inverse"),
    ],
)
def test_labels_in_another_form_say_how_to_number_them(tmp_path, labels, remedy):
    np.savez(tmp_path / "x.npz", image=array(4, 8, 8, 1), y=labels)
    with pytest.raises(DataError, match=f"Expected 'y' as integers, one an item.*{remedy}"):
        open_npz(NpzConfig(path=tmp_path / "x.npz", label="y"))


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([1, 2, 3, 1], "3 of the 4 classes 0 to 3"),
        ([0, 1, 1000, 1], "3 of the 1001 classes 0 to 1000"),
    ],
)
def test_classes_that_no_item_has_are_told(labels, told):
    data = {"image": array(4, 8, 8, 1), "label": np.array(labels)}
    with pytest.warns(UserWarning, match=f"Only {told} .*return_inverse"):
        as_source(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        as_source({**data, "label": np.array([0, 1, 3, 3])})
