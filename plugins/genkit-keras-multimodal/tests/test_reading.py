"""What somebody gives of a field, as an item of it."""

import numpy as np
import pytest
from genkit_multimodal.reading import read_item
from genkit_multimodal.spectrograms import SHAPE
from genkit_multimodal.wav import write_wav
from PIL import Image

import genkit
from genkit.errors import DataError, UsageError

PICTURE = genkit.Field((8, 8, 3), "uint8", "image", (-1, 1))
NUMBERS = genkit.Field((3,), "float32", "vector")


def test_a_picture_is_brought_to_size_and_range(tmp_path):
    Image.new("RGBA", (32, 20), (255, 0, 0, 255)).save(tmp_path / "red.png")
    item = read_item("image", PICTURE, str(tmp_path / "red.png"))
    assert item.shape == (8, 8, 3)
    np.testing.assert_allclose(item[3, 3], [1, -1, -1])


def test_a_sound_becomes_a_spectrogram(tmp_path):
    field = genkit.Field(SHAPE, "float32", "spectrogram", (0, 1))
    write_wav(np.sin(np.arange(4000)) / 2, tmp_path / "it.wav")
    assert read_item("audio", field, str(tmp_path / "it.wav")).max() > 0.5


def test_numbers_are_written_or_in_a_file(tmp_path):
    np.testing.assert_array_equal(read_item("v", NUMBERS, "1,2.5,-3"), [1, 2.5, -3])
    np.save(tmp_path / "it.npy", np.arange(3))
    np.testing.assert_array_equal(read_item("v", NUMBERS, str(tmp_path / "it.npy")), [0, 1, 2])


@pytest.mark.parametrize("text", ["1,2", "1,2,nan", "a,b,c", "", "nowhere.npy"])
def test_other_numbers_are_refused(text):
    with pytest.raises(DataError, match="Expected"):
        read_item("v", NUMBERS, text)


def test_objects_in_a_file_are_refused(tmp_path):
    np.save(tmp_path / "it.npy", np.array([{}, {}, {}]), allow_pickle=True)
    with pytest.raises(DataError, match="npy"):
        read_item("v", NUMBERS, str(tmp_path / "it.npy"))


def test_an_unknown_class_is_refused():
    field = genkit.Field((), "int32", "label", classes=("cat", "dog"))
    assert read_item("label", field, "dog") == 1
    with pytest.raises(UsageError, match="cat, dog; received 'cow'"):
        read_item("label", field, "cow")
