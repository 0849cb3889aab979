from dataclasses import replace

import numpy as np
import pytest

from genkit.data import ArraySource, Loader, Source, as_source, parse_transforms, transformed
from genkit.data.noise import augmentation_rng
from genkit.errors import DataError, UsageError

RAMP = np.arange(2 * 6 * 8, dtype="uint8").reshape(2, 6, 8, 1)
COLOUR = np.random.default_rng(0).integers(0, 256, (300, 6, 8, 3)).astype("uint8")


class Wrapped(Source):
    """Data that isn't in arrays, as a plugin may bring it."""

    def __init__(self, source):
        self.source = source
        self.schema = source.schema

    def __len__(self):
        return len(self.source)

    def gather(self, indices):
        return self.source.gather(indices)

    def fingerprint(self):
        return self.source.fingerprint()


def images_of(source):
    return source.gather(np.arange(len(source)))["image"]


def transform(images, *names):
    return transformed(as_source(images), parse_transforms(names))


@pytest.mark.parametrize("images", [RAMP, COLOUR, COLOUR.astype("float32")])
@pytest.mark.parametrize(
    "names",
    [
        ["resize=4"],
        ["resize=12x4"],
        ["center-crop=4x2"],
        ["grayscale"],
        ["denoise"],
        ["denoise=5", "normalize=0,1"],
        ["normalize=-1,1", "resize=3", "grayscale"],
    ],
)
def test_the_schema_says_what_comes_out(images, names):
    source = transform(images, *names)
    made, field = images_of(source), source.schema["image"]
    assert made.shape[1:] == field.shape
    assert made.dtype == np.dtype(field.dtype)
    assert field.range[0] <= made.min() <= made.max() <= field.range[1]


@pytest.mark.parametrize("names", [["resize=4x5", "normalize=-1,1"], ["denoise", "grayscale"]])
def test_data_that_is_not_in_arrays_is_transformed_when_gathered(names):
    eager = transform(COLOUR, *names)
    lazy = transformed(Wrapped(as_source(COLOUR)), parse_transforms(names))
    assert lazy.schema == eager.schema
    np.testing.assert_array_equal(images_of(lazy), images_of(eager))
    assert lazy.fingerprint() != as_source(COLOUR).fingerprint()


def test_normalize_maps_the_bounds_of_the_range_exactly():
    images = np.array([0, 128, 255, 51], "uint8").reshape(1, 2, 2, 1)
    made = images_of(transform(images, "normalize=-1,1"))
    np.testing.assert_allclose(made.ravel(), [-1, 128 / 127.5 - 1, 1, -0.6], atol=1e-6)
    assert made.min() == -1
    assert made.max() == 1


def test_rounding_never_steps_over_the_bounds():
    images = np.array([-2.2, 5.4], "float32").reshape(2, 1, 1, 1)
    assert images_of(transform(images, "normalize=-1,1")).ravel().tolist() == [-1, 1]


def test_resize_keeps_a_constant_and_the_mean():
    np.testing.assert_array_equal(images_of(transform(RAMP * 0 + 77, "resize=3x5")), 77)
    smooth = images_of(transform(COLOUR, "resize=3x4"))
    np.testing.assert_allclose(smooth.mean(), COLOUR.mean(), atol=1)


def test_center_crop_keeps_the_middle():
    made = images_of(transform(RAMP, "center-crop=2x4"))
    np.testing.assert_array_equal(made, RAMP[:, 2:4, 2:6])


def test_a_crop_larger_than_the_image_is_an_error():
    with pytest.raises(DataError, match="at least 7x7 to crop; received 6x8"):
        transform(RAMP, "center-crop=7")


def test_grayscale_weighs_the_colours_by_luma():
    colours = np.array([[255, 0, 0], [0, 255, 0], [0, 0, 255], [9, 9, 9]], "uint8")
    made = images_of(transform(colours.reshape(4, 1, 1, 3), "grayscale"))
    assert made.ravel().tolist() == [76, 150, 29, 9]


def test_denoise_removes_a_lone_pixel():
    images = np.zeros((1, 5, 5, 1), "uint8")
    images[0, 2, 2] = 255
    assert images_of(transform(images, "denoise")).max() == 0


def test_flip_mirrors_about_half_of_the_items_and_leaves_the_rest():
    source = transform(COLOUR, "flip")
    assert [t.random for t in source.augment] == [True]
    np.testing.assert_array_equal(images_of(source), COLOUR)
    flip, field = source.augment[0], source.schema["image"]
    made = flip(COLOUR, field, augmentation_rng(0, 0))
    kept = (made == COLOUR).all(axis=(1, 2, 3))
    mirrored = (made == COLOUR[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (kept ^ mirrored).all()
    assert 100 < kept.sum() < 200


def test_the_loader_flips_anew_for_each_batch_and_the_same_for_each_seed():
    source = transform(COLOUR, "flip")

    def first_two(seed):
        with Loader(source, batch_size=300, seed=seed) as loader:
            return [next(loader)["image"] for _ in range(2)]

    once, again = first_two(0), first_two(0)
    np.testing.assert_array_equal(once, again)
    plain = {image.tobytes() for image in COLOUR}
    flipped = [[image.tobytes() not in plain for image in batch] for batch in once]
    assert all(100 < sum(batch) < 200 for batch in flipped)
    assert flipped[0] != flipped[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("grayscal", r"Did you mean 'grayscale'\?"),
        ("resize", "Expected resize=32 or resize=32x48; received 'resize'"),
        ("resize=0", "Expected resize=32"),
        ("resize=99999", "Expected resize=32"),
        ("resize=3x", "Expected resize=32"),
        ("center-crop=-3", "Expected center-crop=32"),
        ("normalize=1,-1", "Expected normalize=-1,1"),
        ("normalize=0,inf", "Expected normalize=-1,1"),
        ("normalize", "Expected normalize=-1,1"),
        ("denoise=4", "odd window"),
        ("denoise=x", "odd window"),
        ("flip=1", "flip, without a value"),
    ],
)
def test_a_transform_with_a_fault_says_what_was_expected(name, message):
    with pytest.raises(UsageError, match=message):
        parse_transforms([name])


def test_a_random_transform_before_another_says_the_right_order():
    with pytest.raises(UsageError, match=r"Write \['normalize=-1,1', 'flip'\]"):
        parse_transforms(["flip", "normalize=-1,1"])
    with pytest.raises(UsageError, match="no transforms after random ones"):
        transformed(transform(COLOUR, "flip"), parse_transforms(["normalize=-1,1"]))


def test_transforms_need_images_with_channels_and_a_range():
    with pytest.raises(DataError, match="modality 'image'"):
        transformed(as_source(np.eye(3)), parse_transforms(["grayscale"]))
    source = as_source(RAMP)
    field = replace(source.schema["image"], range=None)
    without = ArraySource(source.arrays, source.schema.replace(image=field))
    with pytest.raises(DataError, match="with a range"):
        transformed(without, parse_transforms(["normalize=0,1"]))
    with pytest.raises(DataError, match="1 or 3 channels; received 2"):
        transform(COLOUR[..., :2], "grayscale")


def test_transforming_leaves_the_source_as_it_was():
    source = as_source(RAMP)
    transformed(source, parse_transforms(["normalize=-1,1", "flip"]))
    assert source.augment == ()
    np.testing.assert_array_equal(images_of(source), RAMP)


@pytest.mark.parametrize("images", [RAMP, COLOUR, COLOUR.astype("float32")])
def test_what_normalize_did_can_be_undone(images):
    field = as_source(images).schema["image"]
    (normalize,) = parse_transforms(["normalize=-1,1"])
    back = normalize.undo(normalize(images, field), field)
    assert back.dtype == images.dtype
    np.testing.assert_allclose(back, images, atol=1e-4 if images.dtype == "float32" else 0)


def test_what_can_not_be_undone_says_so():
    (resize,) = parse_transforms(["resize=3"])
    with pytest.raises(NotImplementedError, match="Resize can't be undone"):
        resize.undo(RAMP, as_source(RAMP).schema["image"])
