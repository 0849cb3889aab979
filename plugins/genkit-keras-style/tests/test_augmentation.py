"""Adaptive augmentation: what is changed, how likely, and the course of its strength."""

import numpy as np
import pytest
from genkit_style.augmentation import NORMAL, UNIFORM, augmented
from keras import ops
from small import model, pictures

import genkit

SIDE = 8
FLIP, TURN, ALIKE, APART, SHIFT, BRIGHTNESS, CONTRAST, COLOUR, QUARTER = range(UNIFORM)


def images(n=4, channels=3):
    return np.random.default_rng(1).uniform(-1, 1, (n, SIDE, SIDE, channels)).astype("float32")


def changed(x, happening=(), *, quarter=0, flips=False, lengths=0.0):
    """Return pictures after the named changes alone, each as far as ``lengths`` says."""
    chances = np.full((len(x), UNIFORM), 0.99, "float32")
    chances[:, list(happening)] = 0.0 if flips else 0.4
    chances[:, FLIP] = 0.0 if flips else chances[:, FLIP]
    chances[:, QUARTER] = (quarter + 0.5) / 4
    drawn = np.full((len(x), NORMAL), lengths, "float32")
    tensors = map(ops.convert_to_tensor, (x, chances, drawn, np.float32(0.5)))
    return ops.convert_to_numpy(augmented(*tensors))


def test_nothing_is_changed_where_nothing_happens():
    np.testing.assert_allclose(changed(images(), lengths=1.0), images(), atol=1e-6)


def test_a_flip_is_a_mirror_image():
    np.testing.assert_allclose(
        changed(images(), [FLIP], flips=True), images()[:, :, ::-1], atol=1e-6
    )


@pytest.mark.parametrize("quarter", [1, 2, 3])
def test_a_turn_is_by_right_angles(quarter):
    found = changed(images(), [TURN], quarter=quarter)
    ways = [np.rot90(images(), times, axes=(1, 2)) for times in range(4)]
    near = [times for times, way in enumerate(ways) if np.allclose(found, way, atol=1e-6)]
    assert near in ([quarter], [4 - quarter])


def test_a_shift_moves_pixels_and_mirrors_beyond_the_edge():
    found = changed(images(), [SHIFT], lengths=1.0)  # an eighth of the side, down and right: one
    np.testing.assert_allclose(found[:, 1:, 1:], images()[:, :-1, :-1], atol=1e-5)
    np.testing.assert_allclose(found[:, 0, 1:], images()[:, 1, :-1], atol=1e-5)


def test_scaling_keeps_a_plain_picture_plain():
    plain = np.full((2, SIDE, SIDE, 1), 0.25, "float32")
    for change in (ALIKE, APART):
        for length in (-2.0, 2.0):
            np.testing.assert_allclose(changed(plain, [change], lengths=length), plain, atol=1e-6)


def test_brightness_and_contrast_change_grey_and_colour_does_not():
    grey = np.broadcast_to(images(channels=1), (4, SIDE, SIDE, 3)).copy()
    np.testing.assert_allclose(changed(grey, [BRIGHTNESS], lengths=1.0), grey + 0.2, atol=1e-6)
    np.testing.assert_allclose(changed(grey, [CONTRAST], lengths=1.0), grey * np.sqrt(2), atol=1e-5)
    np.testing.assert_allclose(changed(grey, [COLOUR], lengths=1.0), grey, atol=1e-5)
    assert np.abs(changed(images(), [COLOUR], lengths=1.0) - images()).mean() > 0.1


def test_pictures_get_gradients_through_every_change():
    x = ops.convert_to_tensor(images())
    chances = ops.convert_to_tensor(np.full((4, UNIFORM), 0.1, "float32"))
    lengths = ops.convert_to_tensor(np.full((4, NORMAL), 0.3, "float32"))
    p = ops.convert_to_tensor(np.float32(0.5))
    slope = genkit.gradient(lambda x: ops.sum(augmented(x, chances, lengths, p)), x)
    found = ops.convert_to_numpy(slope)
    assert np.isfinite(found).all()
    assert np.abs(found).sum() > 1


def test_the_strength_follows_the_signs_as_published():
    """Each fourth step: up where their mean sign was above the target, else down, never below 0."""
    found = model(pictures(), augment_target=0.6, augment_images=1000)
    signs = np.random.default_rng(2).choice([-0.5, 0.5, 1.0], 60, p=[0.1, 0.2, 0.7])
    p, course, expected = 0.0, [], []
    for step, sign in enumerate(signs):
        found.strength.follow(ops.convert_to_tensor(np.float32(sign)), 16)
        course.append(float(ops.convert_to_numpy(found.strength.p.value)))
        if step % 4 == 3:
            p = max(0.0, p + np.sign(signs[step - 3 : step + 1].mean() - 0.6) * 16 * 4 / 1000)
        expected.append(p)
    np.testing.assert_allclose(course, expected, atol=1e-6)
    assert max(expected) > 0.2


def test_the_strength_rises_while_the_discriminator_is_sure():
    source = pictures(64)
    found = model(source, augment_target=0.01, augment_images=100)
    found.fit(source, steps=24, batch_size=16, verbose=False)
    assert float(ops.convert_to_numpy(found.strength.p.value)) > 0
