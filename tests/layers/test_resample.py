"""`genkit.layers.resample` against zeros put between, a convolution and places kept."""

import keras
import numpy as np
import pytest
from keras import ops

from genkit.errors import UsageError
from genkit.layers import resample
from tests.layers.differentiation import assert_close, compiled, gradient

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOLERANCE = 1e-5
SHAPE = (2, 6, 5, 3)

# (arguments, the padding that keeps the picture in the middle, rows and columns that come out)
CASES = {
    "up": ({"up": 2}, (2, 1), (12, 10)),
    "down": ({"down": 2}, (1, 1), (3, 3)),
    "blur": ({}, (2, 1), (6, 5)),
    "odd taps": ({"taps": (1, 2, 1)}, (1, 1), (6, 5)),
    "nearest": ({"taps": (1, 1), "up": 2}, (1, 0), (12, 10)),
    "two thirds": ({"up": 2, "down": 3, "taps": (1, 2, 3, 2, 1)}, (2, 1), (4, 4)),
    "the middle of each four": ({"taps": (1,), "down": 4}, (-1, 0), (2, 2)),
    "uneven taps": ({"taps": (4, 2, -1), "up": 2}, (2, 1), (12, 10)),
    "own padding": ({"padding": (0, 3)}, (0, 3), (6, 5)),
    "cut off": ({"up": 2, "padding": (-2, 0)}, (-2, 0), (7, 5)),
    "gain": ({"up": 2, "gain": 0.5}, (2, 1), (12, 10)),
}


def along(x, axis, *, padding, size, taps=(1, 3, 3, 1), up=1, down=1, **_):
    """Do it along one axis, as the docstring says."""
    x = np.moveaxis(x, axis, -1)
    wide = np.zeros((*x.shape[:-1], x.shape[-1] * up))
    wide[..., ::up] = x
    before, after = padding
    # Zeros enough for the last place kept.
    wide = np.pad(wide, [(0, 0)] * 3 + [(max(before, 0), max(after, 0) + down)])
    wide = wide[..., max(-before, 0) :]
    taps = np.asarray(taps) / np.sum(taps)
    filtered = np.apply_along_axis(lambda row: np.convolve(row, taps, "valid"), -1, wide)
    return np.moveaxis(filtered[..., ::down][..., :size], -1, axis)


def definition(x, arguments, padding, sizes):
    arguments = {**arguments, "padding": padding}
    gain = arguments.get("gain", arguments.get("up", 1) ** 2)
    for axis, size in zip((1, 2), sizes, strict=True):
        x = along(x, axis, size=size, **arguments)
    return gain * x


@pytest.mark.parametrize("case", CASES)
def test_the_output_is_that_of_the_definition(case):
    arguments, padding, sizes = CASES[case]
    x = np.random.default_rng(0).normal(size=SHAPE).astype("float32")
    found = ops.convert_to_numpy(resample(x, **arguments))
    assert found.dtype == "float32"
    assert_close([found], [definition(x, arguments, padding, sizes)], TOLERANCE)


@pytest.mark.parametrize("case", ["up", "down", "uneven taps"])
def test_gradients_of_first_and_second_order_are_those_of_the_definition(case):
    """With ``loss = sum(u * y**2)`` both follow from the matrix that the definition is."""
    arguments, padding, sizes = CASES[case]
    rng = np.random.default_rng(0)
    shape = (1, *SHAPE[1:3], 1)
    basis = np.eye(SHAPE[1] * SHAPE[2]).reshape(-1, *shape[1:])
    matrix = definition(basis, arguments, padding, sizes).reshape(len(basis), -1).T
    x, u = rng.normal(size=shape).astype("float32"), rng.normal(size=(1, *sizes, 1))
    curvature = 2 * matrix.T @ (u.reshape(-1, 1) * matrix)
    first = curvature @ x.ravel()
    weights = ops.convert_to_tensor(u.astype("float32"))

    def loss(x):
        return ops.sum(weights * ops.square(resample(x, **arguments)))

    def penalty(x):
        return ops.sum(ops.square(gradient(loss)(x)[0]))

    for function, expected in ((loss, first), (penalty, 2 * curvature @ first)):
        (found,) = compiled(gradient(function))(ops.convert_to_tensor(x))
        assert_close([ops.convert_to_numpy(found)], [expected.reshape(shape)], TOLERANCE)


@pytest.mark.parametrize(
    "arguments",
    [{"up": 2}, {"down": 2}, {"up": 4, "down": 2, "taps": (1, 2, 3, 4, 3, 2, 1)}],
)
def test_brightness_and_middle_of_a_picture_stay(arguments):
    """A symmetric bump stays where it is, an even grey stays as bright, away from the rim."""
    ramp = np.exp(-0.5 * np.linspace(-3, 3, 16) ** 2)
    image = np.outer(ramp, ramp).astype("float32")[None, :, :, None]
    found = ops.convert_to_numpy(resample(image, **arguments))[0, :, :, 0]
    np.testing.assert_allclose(found, found[::-1, ::-1], atol=1e-6)
    grey = ops.convert_to_numpy(resample(np.ones_like(image), **arguments))
    np.testing.assert_allclose(grey[0, 3:-3, 3:-3], 1.0, atol=1e-6)


def test_bfloat16_stays_bfloat16():
    x = np.random.default_rng(0).normal(size=SHAPE).astype("float32")
    y = resample(ops.cast(x, "bfloat16"), up=2)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    exact = definition(x, *CASES["up"])
    assert_close([ops.convert_to_numpy(ops.cast(y, "float32"))], [exact], 2e-2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"up": 0}, "received up=0, down=1"),
        ({"taps": (1, -1)}, r"received up=1, down=1, taps=\(1, -1\)"),
        ({"taps": (1,) * 9, "padding": (0, 0)}, "received 6 with up=1, down=1, 9 taps"),
    ],
)
def test_what_leaves_no_image_is_refused(arguments, told):
    with pytest.raises(UsageError, match=told):
        resample(np.ones(SHAPE, "float32"), **arguments)
