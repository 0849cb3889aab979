"""Whether pictures show what their captions say, told by rules: no network judges."""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from genkit_text2image.shapes import COLOURS, SHAPES, Scene, draw_shape

_WHITE = (255, 255, 255)
_LEAST = 0.01  # share of a picture that something must cover to be there
_SIDE = 24  # pixels of the templates that shapes are compared with
_HUES = {"red": 0, "orange": 30, "yellow": 52, "green": 120, "blue": 215, "purple": 275}
HEART_COLOURS = tuple(_HUES)
_NEAR = 25  # degrees between hues that count as one
_VIVID, _GRAY, _FULL_TURN = 0.35, 0.2, 360


def shown(picture: np.ndarray, scene: Scene) -> dict[str, list[bool]]:
    """Tell which attributes of a scene a picture shows.

    A pixel has the colour, of the palette and white, that it is nearest to. A colour is there where
    it covers a hundredth of the picture. Its shape is that of the four whose outline, in the same
    box, it overlaps most; its place that of its middle.

    Args:
        picture: uint8 ``(side, side, 3)``.
        scene: what it should show.

    Returns:
        ``colour`` and ``shape``, one for each thing; ``place``, one where there are two things.
    """
    palette = np.array([*COLOURS.values(), _WHITE], float)
    apart = np.linalg.norm(picture[:, :, None].astype(float) - palette, axis=-1)
    nearest = apart.argmin(axis=-1)
    masks = [nearest == list(COLOURS).index(thing.colour) for thing in scene.things]
    there = [bool(mask.mean() >= _LEAST) for mask in masks]
    shapes = [
        seen and shape_of(mask) == thing.shape
        for seen, mask, thing in zip(there, masks, scene.things, strict=True)
    ]
    place = [all(there) and _placed(masks, scene.relation)] if scene.relation else []
    return {"colour": there, "shape": shapes, "place": place}


def shape_of(mask: np.ndarray) -> str:
    """Return the shape that a mask, bool ``(side, side)``, overlaps most, box on box."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    part = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    image = Image.fromarray((part * 255).astype(np.uint8)).resize((_SIDE, _SIDE))
    found = np.asarray(image) > 127  # noqa: PLR2004 - half of 255
    overlap = {
        shape: (found & template).sum() / (found | template).sum()
        for shape, template in _templates().items()
    }
    return max(overlap, key=lambda shape: overlap[shape])


def is_of_hue(picture: np.ndarray, colour: str) -> bool:
    """Whether the vivid pixels of a picture have a colour's hue, in the mean.

    Args:
        picture: uint8 ``(side, side, 3)``.
        colour: one of ``HEART_COLOURS``.
    """
    values = np.asarray(Image.fromarray(picture).convert("HSV"), float) / 255
    vivid = (values[..., 1] > _VIVID) & (values[..., 2] > _GRAY)
    if vivid.mean() < _LEAST:
        return False
    turn = np.exp(2j * np.pi * values[..., 0][vivid]).mean()
    hue = np.degrees(np.angle(turn)) % _FULL_TURN
    apart = abs(hue - _HUES[colour])
    return bool(min(apart, _FULL_TURN - apart) <= _NEAR)


def _placed(masks: list[np.ndarray], relation: str) -> bool:
    (row, column), (other_row, other_column) = (np.argwhere(mask).mean(axis=0) for mask in masks)
    down, right = other_row - row, other_column - column
    along = {"above": (down, right), "below": (-down, right), "beside": (right, down)}[relation]
    return bool(along[0] > abs(along[1]))


@cache
def _templates() -> dict[str, np.ndarray]:
    made = {}
    for shape in SHAPES:
        picture = Image.new("RGB", (_SIDE, _SIDE), "white")
        middle = (_SIDE - 1) / 2
        draw_shape(ImageDraw.Draw(picture), shape, (0, 0, 0), (middle, middle), middle)
        made[shape] = np.asarray(picture.convert("L")) < 127  # noqa: PLR2004 - half of 255
    return made
