"""Floor, ceiling, attributes by rules, and the nearest training picture."""

from types import SimpleNamespace

import numpy as np
import pytest
from genkit_text2image.attribute_metrics import HeartHue, ShapeAttributes
from genkit_text2image.attributes import is_of_hue, shown
from genkit_text2image.judging import judge, nearest_of
from genkit_text2image.prompted import PROMPT
from genkit_text2image.shapes import COLOURS, Scene, Thing, draw, scene_of
from genkit_text2image.source import words_in
from PIL import Image, ImageDraw
from small import shapes

from genkit.evaluation import Context

SIDE = 32


class Painter:
    """A model that draws what it is asked for, or something else."""

    conditions = (PROMPT,)
    image = "image"
    capabilities = ("generate",)

    def __init__(self, source, draws):
        self.schema, self._draws = source.schema, draws
        self.words = words_in(source.schema, source.assets)

    def text_of(self, value):
        return self.words.decode(value)

    def generate(self, n, seed, given):
        rng = np.random.default_rng(seed)
        prompts = [
            each if isinstance(each, str) else self.text_of(each) for each in given["prompt"]
        ]
        return np.stack([self._draws(text, rng) for text in prompts]).astype("float32")


def obedient(text, rng):
    return draw(scene_of(text), SIDE, rng)


def blind(text, rng):
    return draw(Scene((Thing("red", "square"),)), SIDE, rng)


class Reader:
    """A judge that knows what is drawn: pictures are their colours, captions their words."""

    def read(self, texts):
        return self._unit([[text.count(colour) for colour in COLOURS] for text in texts])

    def see(self, pictures):
        told = []
        for picture in pictures:
            found = [
                shown(np.asarray(picture, np.uint8), Scene((Thing(colour, "circle"),)))["colour"][0]
                for colour in COLOURS
            ]
            told.append(found)
        return self._unit(told)

    @staticmethod
    def _unit(rows):
        rows = np.asarray(rows, float) + 1e-3
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def held():
    return shapes(items=400, side=SIDE, known=4, split="test")


@pytest.fixture(scope="module")
def training():
    return shapes(items=400, side=SIDE, known=4)


def test_real_pictures_show_what_their_captions_say(held):
    pictures = held.gather(np.arange(len(held)))["image"]
    found = [shown(p, scene_of(t)) for p, t in zip(pictures, held.texts, strict=True)]
    for attribute in ("colour", "shape", "place"):
        right = [each for one in found for each in one[attribute]]
        assert np.mean(right) > 0.9, attribute


def test_other_pictures_do_not():
    rng = np.random.default_rng(0)
    scene = Scene((Thing("red", "circle"), Thing("blue", "square")), "above")
    upside_down = draw(Scene(scene.things, "below"), SIDE, rng)
    assert shown(upside_down, scene) == {
        "colour": [True, True],
        "shape": [True, True],
        "place": [False],
    }
    others = Scene((Thing("red", "cross"), Thing("green", "square")), "above")
    found = shown(draw(others, SIDE, rng), scene)
    assert found == {"colour": [True, False], "shape": [False, False], "place": [False]}
    white = np.full((SIDE, SIDE, 3), 255, np.uint8)
    assert shown(white, scene)["colour"] == [False, False]


def figures(metric, model, held):
    context = Context(held.schema, model=model, real=held)
    assert metric.unfit(context) == ""
    return {figure.name: figure.value for figure in metric(context).compute()}


def test_attributes_stand_beside_those_of_real_pictures(held):
    good = figures(ShapeAttributes, Painter(held, obedient), held)
    bad = figures(ShapeAttributes, Painter(held, blind), held)
    assert set(good) == {f"{a}{k}" for a in ("colour", "shape", "place") for k in ("", " (real)")}
    assert good["place"] > 0.9
    assert bad["colour"] < 0.4
    assert bad["place"] == 0
    assert good["colour (real)"] == bad["colour (real)"] > 0.9


def test_hearts_are_told_by_their_hue():
    def heart(colour):
        picture = Image.new("RGB", (16, 16), "white")
        ImageDraw.Draw(picture).ellipse((3, 3, 12, 12), colour)
        return np.asarray(picture)

    assert is_of_hue(heart((230, 20, 30)), "red")
    assert is_of_hue(heart((30, 90, 230)), "blue")
    assert not is_of_hue(heart((30, 90, 230)), "red")
    assert not is_of_hue(heart((250, 250, 250)), "red")


def test_hues_are_not_measured_where_captions_have_no_hearts(held):
    context = Context(held.schema, model=Painter(held, blind), real=held)
    assert "no hearts" in HeartHue.unfit(context)
    blinded = Context(held.schema, model=SimpleNamespace(conditions=()), real=held)
    assert HeartHue.unfit(blinded) == "the model takes no prompt"


def test_what_follows_captions_is_found_and_the_same_given_to_others_is_not(held, training):
    found = judge(Painter(held, obedient), Reader(), held, training, n=20)
    hits = {kind: each[1] for kind, each in found.hits.items()}
    assert min(hits["generated"], hits["real"]) > 2 * hits["shuffled"]
    lazy = judge(Painter(held, blind), Reader(), held, training, n=20).hits
    assert lazy["generated"][1] < hits["real"] / 2
    assert found.nearest.shape == found.generated.shape == found.real.shape


def test_a_copy_is_found_in_training(training):
    pictures = training.gather(np.arange(50))["image"]
    rows, distances = nearest_of(pictures[[7, 3]].astype("float32"), pictures, 255.0)
    np.testing.assert_array_equal(rows, [7, 3])
    np.testing.assert_allclose(distances, 0, atol=1e-6)
    _, apart = nearest_of(np.zeros((1, *pictures.shape[1:])), np.full_like(pictures, 255), 255.0)
    np.testing.assert_allclose(apart, 1, atol=1e-6)
