"""The networks are the published ones: equal to what the authors' own operators gave.

reference.json holds their numbers for weights that a rule gives; see its "source".
"""

import json
from pathlib import Path

import numpy as np
import pytest
from genkit_style.configs import StyleGAN2Config
from genkit_style.stylegan2 import StyleGAN2
from keras import ops
from small import pictures

import genkit

KNOWN = json.loads(Path(__file__).with_name("reference.json").read_text("utf-8"))
CLASSES, LABELS = 3, np.array([0, 1, 2, 1], "int32")
WEIGHTS = np.array([1.0, -2.0, 0.5, 3.0], "float32")  # of the four scores, in one number


def rule(number, shape):
    wild = np.sin(12.9898 * np.arange(1, np.prod(shape, dtype=int) + 1) + 78.233 * number)
    wild *= 43758.5453
    return (3.4 * (wild - np.floor(wild)) - 1.7).astype("float32").reshape(shape)


def layer_of(model, name):
    """Return the layer that a recorded name stands in, and the name of its weight."""
    first, *path, weight = name.split("/")
    layer = getattr(model, first)
    for part in path:
        layers = layer._flatten_layers(recursive=False, include_self=False)
        (layer,) = [each for each in layers if each.name == part]
    return layer, weight


@pytest.fixture(scope="module")
def filled():
    source = pictures(classes=CLASSES)
    config = StyleGAN2Config(latent_dim=8, base=32, most=8, noise_inputs=True)
    model = StyleGAN2(config, source.schema)
    for number, (name, shape) in enumerate(KNOWN["names"].items()):
        layer, weight = layer_of(model, name)
        scale = 100 if "hidden_" in name else 1  # as the mapping's weights are kept
        getattr(layer, weight).assign(rule(number, tuple(shape)) * scale)
    return model


def drawn_and_judged(model):
    label = ops.convert_to_tensor(LABELS)
    w = model.style_of(ops.convert_to_tensor(rule(1000, (4, 8))), label)
    styles = ops.repeat(w[:, None], model.synthesis.styles, axis=1)
    picture = model.synthesis(styles, ops.zeros((4, 16 + 2 * 64)))
    return picture, model.discriminator(picture, label)[:, 0]


@pytest.mark.parametrize("known", KNOWN["counts"], ids=lambda known: str(known["side"]))
def test_as_many_weights(known):
    side = known["side"]
    fields = {"image": genkit.Field((side, side, 3), "float32", "image", range=(0.0, 1.0))}
    settings = {name: known[name] for name in ("base", "most", "latent_dim", "mapping_layers")}
    model = StyleGAN2(StyleGAN2Config(**settings, noise_inputs=True), genkit.Schema(fields))
    for name in ("generator", "discriminator"):
        count = sum(int(np.prod(each.shape)) for each in model.owned_variables(name))
        assert count == known[name]


def test_the_same_pictures_and_scores(filled):
    picture, scores = map(ops.convert_to_numpy, drawn_and_judged(filled))
    largest = np.abs(KNOWN["picture"]).max()
    np.testing.assert_allclose(picture, KNOWN["picture"], atol=1e-5 * largest)
    np.testing.assert_allclose(scores, KNOWN["scores"], rtol=1e-5)


@pytest.fixture(scope="module")
def slopes(filled):
    """The slope of the weighed scores along each recorded weight, all by one gradient."""
    places = [layer_of(filled, name) for name in KNOWN["gradients"]]
    kept = [getattr(layer, weight) for layer, weight in places]
    shapes = [tuple(each.shape) for each in kept]
    ends = np.cumsum([np.prod(shape, dtype=int) for shape in shapes])

    def judged(flat):
        for (layer, weight), part, shape in zip(
            places, ops.split(flat, ends[:-1].tolist()), shapes, strict=True
        ):
            object.__setattr__(layer, weight, ops.reshape(part, shape))  # Keras wants a variable
        return ops.sum(drawn_and_judged(filled)[1] * ops.convert_to_tensor(WEIGHTS))

    flat = ops.concatenate([ops.reshape(each, (-1,)) for each in kept])
    try:
        found = ops.convert_to_numpy(genkit.gradient(judged, flat))
    finally:
        for (layer, weight), value in zip(places, kept, strict=True):
            object.__setattr__(layer, weight, value)
    parts = zip(KNOWN["gradients"], np.split(found, ends[:-1]), shapes, strict=True)
    return {name: part.reshape(shape) for name, part, shape in parts}


@pytest.mark.parametrize("name", KNOWN["gradients"])
def test_the_same_gradients(slopes, name):
    along = rule(500 + list(KNOWN["names"]).index(name), slopes[name].shape)
    assert np.sum(slopes[name] * along, dtype="float64") == pytest.approx(
        KNOWN["gradients"][name], rel=1e-4, abs=1e-4
    )
