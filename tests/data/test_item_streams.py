import itertools

import numpy as np
import pytest
from PIL import Image

from genkit.data import as_source, item_streams
from genkit.data.item_streams import collect
from genkit.errors import DataError
from genkit.plugins.specs import Field


class Tensor:
    """Has what a tensor of PyTorch has; its images have the channels first."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.array


def test_values_without_a_name_are_called_after_what_they_are():
    picture = Image.new("RGB", (5, 4), (1, 2, 3))
    item = (picture, 3, "a caption", np.zeros(7, "float32"), 0.5, picture)
    arrays = collect([item, item])
    shapes = {name: array.shape for name, array in arrays.items()}
    assert shapes == {
        "image": (2, 4, 5, 3),
        "label": (2,),
        "text": (2,),
        "vector": (2, 7),
        "number": (2,),
        "image_2": (2, 4, 5, 3),
    }
    assert arrays["image"][0, 0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("1", 1), ("P", 3), ("RGBA", 3)])
def test_pillow_images_are_gray_or_in_colour(mode, channels):
    assert collect([Image.new(mode, (5, 4))])["image"].shape == (1, 4, 5, channels)


def test_tensors_of_images_have_their_channels_moved_to_the_end():
    array = np.arange(3 * 6 * 8).reshape(3, 6, 8)
    made = collect([(Tensor(array), Tensor(2))])
    np.testing.assert_array_equal(made["image"][0], np.moveaxis(array, 0, -1))
    assert made["label"].tolist() == [2]


def test_many_items_keep_their_order():
    numbers = collect({"n": number} for number in range(1000))["n"]
    np.testing.assert_array_equal(numbers, np.arange(1000))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([], "at least one item"),
        ([np.zeros(2), np.zeros(3)], r"'vector' of item 1 has \(3,\), that of the first \(2,\)"),
        ([{"a": 1}, {"b": 1}], "the fields a in every item; item 1 has b"),
    ],
)
def test_items_that_do_not_fit_together_are_refused(items, message):
    with pytest.raises(DataError, match=message):
        collect(items)


def test_items_without_end_are_refused_before_the_memory_is_full(monkeypatch):
    monkeypatch.setattr(item_streams, "machine_bytes", lambda: 1 << 20)
    with pytest.raises(DataError, match=r"fits this machine's memory.*Does it end"):
        collect(np.zeros(1000) for _ in itertools.count())


def test_a_list_of_text_and_a_function_that_makes_items_are_data():
    words = as_source(["one", "two"])
    assert words.schema.fields == {"text": Field((), "string", "text")}

    def items():
        for number in range(6):
            yield {"image": np.full((4, 4, 1), number, np.uint8), "label": number % 2}

    source = as_source(items)
    assert len(source) == 6
    assert source.schema["image"] == Field((4, 4, 1), "uint8", "image", (0, 255))
    assert source.schema["label"].classes == ("0", "1")
    assert as_source(items).fingerprint() == source.fingerprint()


def test_what_can_become_an_array_is_an_array():
    class OfAnotherLibrary:
        def __array__(self, dtype=None, copy=None):
            return np.arange(12.0).reshape(6, 2)

    assert as_source(OfAnotherLibrary()).schema["vector"].shape == (2,)
    with pytest.raises(DataError, match="received list"):
        as_source([1, 2])
