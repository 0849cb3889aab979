"""Convolutions with a given kernel, against the sum that defines them and its derivatives.

What they compute is linear in the images and in the kernel, so one array of zeros and ones holds
it, and with a weighting of the output all derivatives are sums over that array.
"""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from genkit.errors import UsageError
from genkit.layers import conv2d, conv2d_transpose
from tests.layers.differentiation import assert_close, compiled, gradient

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

TOLERANCE = 1e-5  # float32, sums of up to a few hundred terms; a wrong place is 1e-2 or more
IMAGES = (2, 5, 4, 2)

CASES = {
    "3x3": (conv2d, (3, 3), {}),
    "even kernel": (conv2d, (2, 4), {}),
    "valid": (conv2d, (3, 3), {"padding": "valid"}),
    "strides": (conv2d, (3, 3), {"strides": 2}),
    "strides, valid": (conv2d, (4, 2), {"strides": (2, 1), "padding": "valid"}),
    "1x1": (conv2d, (1, 1), {}),
    "few filters": (conv2d, (1, 2), {"filters": 1}),
    "transposed 3x3": (conv2d_transpose, (3, 3), {}),
    "transposed, even kernel": (conv2d_transpose, (4, 4), {}),
    "transposed, valid": (conv2d_transpose, (3, 3), {"padding": "valid"}),
    "transposed, two strides": (conv2d_transpose, (3, 2), {"strides": (3, 1)}),
    "transposed, stride 1": (conv2d_transpose, (3, 3), {"strides": 1}),
}


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def padding_before(size, kernel, stride, padding):
    """Return the zeros before an axis, and the size of the convolution's output."""
    if padding == "valid":
        return 0, (size - kernel) // stride + 1
    new = -(-size // stride)
    return max((new - 1) * stride + kernel - size, 0) // 2, new


def definition(function, kernel, *, strides=None, padding="same", filters=3):
    """Return which input place meets which kernel tap at which output place.

    Shape ``(new_height, new_width, height, width, rows, columns)``.
    """
    transposed = function is conv2d_transpose
    strides = pair(strides or (2 if transposed else 1))
    axes = []
    for n, k, s in zip(IMAGES[1:3], kernel, strides, strict=True):
        if transposed:  # the adjoint of the convolution that makes the images of the output
            large = n * s if padding == "same" else (n - 1) * s + k
            before, small = padding_before(large, k, s, padding)
            assert small == n
        else:
            before, large = padding_before(n, k, s, padding)
        axis = np.zeros((large, n, k))
        for i, tap in itertools.product(range(n if transposed else large), range(k)):
            place = i * s + tap - before
            if 0 <= place < (large if transposed else n):
                axis[(place, i, tap) if transposed else (i, place, tap)] = 1
        axes.append(axis)
    return np.einsum("pia,qjb->pqijab", *axes)


def expected(form, transposed, u, x, kernel):
    """Return the output, the gradients of ``sum(u * y)`` and those of their squared norm."""
    taps = "aboc" if transposed else "abco"
    places = "pqijab"

    def output(x, kernel):
        return np.einsum(f"{places},nijc,{taps}->npqo", form, x, kernel)

    def to_images(u, kernel):
        return np.einsum(f"{places},npqo,{taps}->nijc", form, u, kernel)

    def to_kernel(u, x):
        return np.einsum(f"{places},npqo,nijc->{taps}", form, u, x)

    y, gx, gk = output(x, kernel), to_images(u, kernel), to_kernel(u, x)
    second = (
        2 * (output(gx, kernel) + output(x, gk)),
        2 * (to_images(y, kernel) + to_images(u, gk)),
        2 * (to_kernel(y, x) + to_kernel(u, gx)),
    )
    return [y, gx, gk], second


def draw(case, dtype="float32"):
    """Return the function of images and kernel, its definition, and what it is given."""
    function, size, arguments = CASES[case]
    arguments = dict(arguments)
    filters = arguments.pop("filters", 3)
    transposed = function is conv2d_transpose
    form = definition(function, size, **arguments)
    rng = np.random.default_rng(0)
    kernel = (*size, filters, IMAGES[3]) if transposed else (*size, IMAGES[3], filters)
    shapes = ((IMAGES[0], *form.shape[:2], filters), IMAGES, kernel)
    given = [rng.normal(size=shape).astype("float32") for shape in shapes]
    tensors = [ops.convert_to_tensor(each, dtype=dtype) for each in given]
    return lambda x, kernel: function(x, kernel, **arguments), form, transposed, given, tensors


@pytest.mark.parametrize("case", CASES)
def test_output_and_gradients_of_first_and_second_order_are_those_of_the_definition(case):
    function, form, transposed, given, tensors = draw(case)
    first_order, second_order = expected(form, transposed, *given)

    def loss(u, x, kernel):
        return ops.sum(u * function(x, kernel))

    def penalty(*arguments):
        return sum(ops.sum(ops.square(g)) for g in gradient(loss)(*arguments))

    found = [ops.convert_to_numpy(g) for g in compiled(gradient(loss))(*tensors)]
    assert_close(found, first_order, TOLERANCE)
    found = [ops.convert_to_numpy(g) for g in compiled(gradient(penalty))(*tensors)]
    assert_close(found, second_order, TOLERANCE)


@pytest.mark.parametrize("case", ["3x3", "transposed 3x3"])
def test_the_type_is_that_of_the_images_whatever_the_kernels(case):
    function, form, transposed, given, (_, x, kernel) = draw(case)
    y = function(ops.cast(x, "bfloat16"), kernel)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    (exact, *_), _ = expected(form, transposed, *given)
    # bfloat16 carries 4e-3 of relative error a rounding.
    assert_close([ops.convert_to_numpy(ops.cast(y, "float32"))], [exact], 2e-2)


@pytest.mark.parametrize("case", ["3x3", "transposed 3x3"])
def test_a_bias_is_added_at_each_place(case):
    function, size, _ = CASES[case]
    x, kernel = np.ones(IMAGES, "float32"), np.ones((*size, 2, 2), "float32")
    bias = np.array([1.0, -2.0], "float32")
    with_bias, without = (
        ops.convert_to_numpy(function(x, kernel, bias=each)) for each in (bias, None)
    )
    np.testing.assert_allclose(with_bias - without, np.broadcast_to(bias, without.shape))


@pytest.mark.parametrize("function", [conv2d, conv2d_transpose])
def test_an_unknown_padding_is_refused(function):
    with pytest.raises(UsageError, match="received 'full'"):
        function(np.ones(IMAGES), np.ones((3, 3, 2, 2)), padding="full")
