"""Drawn shapes: captions say what is there."""

import numpy as np
from genkit_text2image.shapes import COLOURS, Scene, Thing, draw, scene_of
from small import shapes
from test_captions import check_split


def test_captions_are_read_back_as_scenes():
    for text in shapes().texts:
        assert scene_of(text).text == text
    for text in ("", "red", "red heart", "red circle on blue square", "pink circle"):
        assert scene_of(text) is None


def test_a_picture_shows_what_its_caption_says():
    scene = Scene((Thing("red", "square"), Thing("blue", "circle")), "above")
    picture = draw(scene, 32, np.random.default_rng(0))
    rows = {
        name: np.where(np.abs(picture.astype(int) - COLOURS[name]).sum(-1) < 30)[0].mean()
        for name in ("red", "blue")
    }
    assert rows["red"] < 12
    assert rows["blue"] > 20


def test_combinations_are_held_out():
    settings = {"items": 400, "known": 4}
    training, held = shapes(**settings), shapes(split="test", **settings)
    assert len(held) == 40
    check_split(training, held, known=4)
