"""`genkit.layers.augment_images` changes images as its draws say, and passes gradients back."""

import numpy as np
import pytest
from keras import ops

from genkit.layers import augment_images
from tests.layers.differentiation import gradient

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

IMAGES = np.random.default_rng(0).uniform(-1, 1, (4, 8, 16, 3)).astype("float32")
MIDDLE = np.full((4, 7), 0.5, "float32")


def augmented(kinds, images=IMAGES, **changes):
    draws = MIDDLE.copy()
    for place, value in changes.items():
        draws[:, int(place[1:])] = value
    tensors = map(ops.convert_to_tensor, (images, draws))
    return ops.convert_to_numpy(augment_images(*tensors, kinds))


def test_draws_in_the_middle_change_nothing_but_what_is_cut():
    np.testing.assert_allclose(augmented(["color", "translation"]), IMAGES, atol=1e-6)


def test_brightness_saturation_and_contrast():
    np.testing.assert_allclose(augmented(["color"], d0=0.75), IMAGES + 0.25, atol=1e-6)
    gray = IMAGES.mean(axis=3, keepdims=True)
    expected = np.broadcast_to(gray, IMAGES.shape)
    np.testing.assert_allclose(augmented(["color"], d1=0.0), expected, atol=1e-6)
    mean = IMAGES.mean(axis=(1, 2, 3), keepdims=True)
    found = augmented(["color"], d2=0.0)
    np.testing.assert_allclose(found, (IMAGES - mean) / 2 + mean, atol=1e-6)


def test_a_gray_image_keeps_its_contrast_whatever_the_saturation():
    gray = IMAGES[..., :1]
    np.testing.assert_allclose(augmented(["color"], gray, d1=0.0), gray, atol=1e-6)


@pytest.mark.parametrize(("down", "right"), [(0.0, 0.5), (0.999, 0.5), (0.5, 0.0), (0.999, 0.999)])
def test_translation_shifts_by_an_eighth_at_most_and_fills_with_zeros(down, right):
    found = augmented(["translation"], d3=down, d4=right)
    expected = np.zeros_like(IMAGES)
    dy, dx = (0 if draw == 0.5 else sign for draw, sign in ((down, 1), (right, 2)))
    dy, dx = (-dy if down == 0.0 else dy), (-dx if right == 0.0 else dx)
    target = np.s_[:, max(dy, 0) : 8 + min(dy, 0), max(dx, 0) : 16 + min(dx, 0)]
    source = np.s_[:, max(-dy, 0) : 8 + min(-dy, 0), max(-dx, 0) : 16 + min(-dx, 0)]
    expected[target] = IMAGES[source]
    np.testing.assert_array_equal(found, expected)


def test_cutout_sets_half_each_way_to_zero_and_leaves_the_rest():
    found = augmented(["cutout"], np.ones_like(IMAGES))
    zero = (found == 0).all(axis=3)
    assert (zero.sum(axis=(1, 2)) == 4 * 8).all()
    at_the_edge = (augmented(["cutout"], np.ones_like(IMAGES), d5=0.0) == 0).all(axis=3)
    assert (at_the_edge.sum(axis=(1, 2)) == 2 * 8).all()


def test_gradients_come_back_to_where_the_values_came_from():
    draws = MIDDLE.copy()
    draws[:, 3] = 0.999
    u = np.random.default_rng(1).normal(size=IMAGES.shape).astype("float32")
    kinds, tensors = ["translation"], [ops.convert_to_tensor(a) for a in (draws, u)]

    def loss(images):
        return ops.sum(augment_images(images, tensors[0], kinds) * tensors[1])

    (slope,) = gradient(loss)(ops.convert_to_tensor(IMAGES))
    expected = np.zeros_like(u)
    expected[:, :-1] = u[:, 1:]
    np.testing.assert_allclose(ops.convert_to_numpy(slope), expected, atol=1e-6)
