"""What GenKit can't know: that the file is read as it is meant, and mistakes are told."""

import numpy as np
import pytest
from genkit.errors import DataError

from genkit_myplugin.data import open_table
from genkit_myplugin.settings import TableConfig


def write(folder, text):
    """Write a table; give its path."""
    path = folder / "table.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_is_a_label_and_an_image(tmp_path):
    """Lines of pixels are lines of the image; classes are numbered in order of their names."""
    path = write(tmp_path, "label,a,b,c,d\nhat,0,1,2,3\nbag,9,9,9,255\n")
    source = open_table(TableConfig(path=path))
    assert source.schema["label"].classes == ("bag", "hat")
    np.testing.assert_array_equal(source.arrays["image"][0, ..., 0], [[0, 1], [2, 3]])
    np.testing.assert_array_equal(source.arrays["label"], [1, 0])


def test_every_tenth_image_is_for_testing(tmp_path):
    """The splits share nothing, and together are all."""
    path = write(tmp_path, "".join(f"x,{n},{n},{n},{n}\n" for n in range(20)))
    images = open_table(TableConfig(path=path, split="test")).arrays["image"]
    assert images[:, 0, 0, 0].tolist() == [9, 19]
    assert len(open_table(TableConfig(path=path))) == 18


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Expected rows of pixels"),
        ("a,1,2,3,4\nb,1,2,3\n", "received 3 in row 2"),
        ("a,1,2,3,4\nb,1,2,3,x\n", "Row 2"),
        ("a,1,2,3,400\n", "from 0 to 255"),
        ("a,1,2,3,nan\n", "from 0 to 255"),
        ("a,1,2,3,4,5\n", "whole lines"),
    ],
)
def test_a_mistake_in_the_file_is_told(tmp_path, text, said):
    """Nothing is guessed, and nothing else is raised."""
    path = write(tmp_path, text)
    with pytest.raises(DataError, match=said):
        open_table(TableConfig(path=path))
