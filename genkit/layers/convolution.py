"""Convolutions of images with a kernel that may be computed, in each framework's quickest form."""

from __future__ import annotations

from typing import Any

from keras import ops

from genkit.engine import kernels
from genkit.engine.kernels.geometry import Geometry
from genkit.errors import UsageError

Pair = int | tuple[int, int]


def conv2d(
    x: Any,
    kernel: Any,
    *,
    bias: Any = None,
    strides: Pair = 1,
    padding: str = "same",
    dilation_rate: Pair = 1,
) -> Any:
    """Return the convolution of images with a kernel: what a `Conv2D` computes.

    The kernel may be computed, as equalised learning rates and styles do (Karras et al. 2017,
    2019). Both can be differentiated any number of times in reverse mode. On JAX without an
    accelerator forward mode (`jax.jvp`) is refused for some sizes; use `keras.ops.conv` there.

    Args:
        x: float images of shape `(batch, height, width, channels)`.
        kernel: shape `(rows, columns, channels, filters)`, of any float type; it is cast to that
            of the images. With fewer channels than the images have, these are split into groups.
        bias: shape `(filters,)`, added at each place; None: nothing.
        strides: distance between neighbours of the output, in rows and columns of the images.
        padding: `"same"`, zeros around the images so that the output has `height / strides` rows,
            rounded up; or `"valid"`, none.
        dilation_rate: distance between neighbours of the kernel.

    Returns:
        shape `(batch, new_height, new_width, filters)`, of the images' type.

    Raises:
        UsageError: an unknown padding.
    """
    _check(padding)
    x = ops.convert_to_tensor(x)
    kernel, bias = _like(x, kernel), _like(x, bias)
    fastest = kernels.fastest("convolution")
    if fastest is not None:
        return fastest(x, kernel, bias, _pair(strides), padding, _pair(dilation_rate))
    y = ops.conv(
        x,
        kernel,
        strides=_pair(strides),
        padding=padding,
        data_format="channels_last",
        dilation_rate=_pair(dilation_rate),
    )
    return _plus(y, bias)


def conv2d_transpose(
    x: Any,
    kernel: Any,
    *,
    bias: Any = None,
    strides: Pair = 2,
    padding: str = "same",
    output_padding: Pair | None = None,
    dilation_rate: Pair = 1,
) -> Any:
    """Return the transposed convolution of images with a kernel: what a `Conv2DTranspose` computes.

    The kernel may be computed; see `conv2d`.

    Args:
        x: float images of shape `(batch, height, width, channels)`.
        kernel: shape `(rows, columns, filters, channels)`, of any float type; it is cast to that
            of the images.
        bias: shape `(filters,)`, added at each place; None: nothing.
        strides: distance in the output between neighbours of the images.
        padding: `"same"`, an output of `height * strides` rows; or `"valid"`, all that the kernel
            reaches.
        output_padding: rows and columns that are added to the smallest output, as in Keras; None:
            the sizes above.
        dilation_rate: distance between neighbours of the kernel; more than 1 with strides of 1
            alone.

    Returns:
        shape `(batch, new_height, new_width, filters)`, of the images' type.

    Raises:
        UsageError: an unknown padding.
    """
    _check(padding)
    x = ops.convert_to_tensor(x)
    kernel, bias = _like(x, kernel), _like(x, bias)
    stride, small = _pair(strides), tuple(x.shape[1:3])
    fastest = kernels.fastest("transposed_convolution")
    # Stride 1 dilates nothing, and only an exporter leaves sizes unknown.
    if max(stride) > 1 and fastest is not None and all(isinstance(n, int) for n in small):
        size = tuple(kernel.shape[:2])
        more = (None, None) if output_padding is None else _pair(output_padding)
        rows, columns = (
            _size(n, k, s, padding, extra)
            for n, k, s, extra in zip(small, size, stride, more, strict=True)
        )
        return fastest(x, kernel, bias, Geometry(size, stride, small, (rows, columns)))
    y = ops.conv_transpose(
        x,
        kernel,
        strides=stride,
        padding=padding,
        output_padding=output_padding,
        data_format="channels_last",
        dilation_rate=_pair(dilation_rate),
    )
    return _plus(y, bias)


def _plus(y: Any, bias: Any) -> Any:
    # In Keras' form: TensorFlow would fuse another with the convolution, and round otherwise.
    return y if bias is None else ops.add(y, ops.reshape(bias, (1, 1, 1, -1)))


def _size(n: int, kernel: int, stride: int, padding: str, extra: int | None) -> int:
    """Return the size that a transposed convolution has in Keras."""
    if extra is None:
        return n * stride + (max(kernel - stride, 0) if padding == "valid" else 0)
    cut = 2 * (kernel // 2) if padding == "same" else 0
    return (n - 1) * stride + kernel - cut + extra


def _like(x: Any, value: Any) -> Any:
    return None if value is None else ops.cast(ops.convert_to_tensor(value), x.dtype)


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[1])


def _check(padding: str) -> None:
    if padding not in {"same", "valid"}:
        raise UsageError(f'Expected a padding of "same" or "valid"; received {padding!r}.')
