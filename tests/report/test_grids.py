"""Grids of pictures: that each is seen as one of its own."""

import numpy as np
import pytest
from PIL import Image

from genkit.report.grids import grid

GROUND = 208


def picture(side, mode="L"):
    """A white stroke from the upper to the lower edge, on black."""
    pixels = np.zeros((side, side), "uint8")
    pixels[:, side // 2] = 255
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("side", "shown"), [(8, 64), (28, 56), (64, 64), (200, 200)])
def test_light_ground_lies_between_pictures_and_around_them(side, shown, mode):
    sheet = np.asarray(grid([picture(side, mode)] * 4).convert("L"))
    gutter = (len(sheet) - 2 * shown) // 3
    assert 7 <= gutter <= 8
    for edge in (0, gutter + shown, 2 * (gutter + shown)):
        assert (sheet[edge : edge + gutter] == GROUND).all()
        assert (sheet[:, edge : edge + gutter] == GROUND).all()


def test_a_stroke_that_ends_at_an_edge_does_not_reach_the_next_picture():
    sheet = np.asarray(grid([picture(8)] * 64)).astype(int)
    column = sheet[:, 8 + 8 * 4 + 4]  # through the strokes of the first column
    breaks = np.flatnonzero(np.abs(np.diff(column)) > 20)
    assert len(breaks) == 2 * 8, "each of 8 strokes begins and ends"


def test_few_pixels_are_smoothed_and_more_are_shown_as_they_are():
    tiny, small = (np.asarray(grid([picture(side)])) for side in (8, 16))
    assert len(np.unique(tiny)) > 5
    assert np.unique(small).tolist() == [0, 255]
    assert small.shape == (64, 64)


def test_the_place_of_one_that_is_left_out_is_blank():
    sheet = np.asarray(grid([picture(64), None, None, picture(64)], columns=2))
    assert (sheet[8:72, 80:144] == GROUND).all()
