"""Transposed 2D convolution whose three derivatives are all fast where XLA's are not.

A transposed convolution, the strided convolution that is its adjoint, and the gradient of either
for the kernel are the three faces of one trilinear form in the input `x`, the kernel `w` and a
weighting `g` of the output:

    form(x, w, g) = sum over n, i, j, a, b, o, c of
                    g[n, s*i + a, s*j + b, o] * w[a, b, o, c] * x[n, i, j, c]

    spread(x, w)    = d form / d g    the transposed convolution
    gather(g, w)    = d form / d x    the strided convolution
    correlate(g, x) = d form / d w    one matrix product a kernel tap

What is linear in each of two arguments has the other two functions as its gradients. So the three
are closed under differentiation, and a penalty on a gradient, of any order, stays as fast as they
are. The price of `keras.ops.custom_gradient` is that JAX's forward mode (`jax.jvp`) is refused.

Each is lowered to what XLA runs well on a CPU: undilated convolutions and matrix products. Left to
itself, XLA writes the kernel gradient as a convolution over an input dilated by the stride, for
which its CPU backend has only a scalar loop: a second for what takes thirty milliseconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keras import ops

# Each tap is one slice and one matrix product to compile: 16 of them take XLA 0.3 s, 256 take 3 s.
# Beyond this many, one convolution is nearly as fast to run and far quicker to compile.
_MOST_TAPS = 64


@dataclass(frozen=True)
class Geometry:
    """Sizes of a transposed convolution, each as a pair for rows and columns.

    Without padding the output has `full = (small - 1) * stride + kernel` rows. What Keras returns
    starts `crop` rows into it and has `large` rows, with zeros where it reaches past the end.

    Attributes:
        kernel: Size of the kernel.
        stride: Distance in the output between neighbours of the input.
        small: Size of the input.
        large: Size of the output.
    """

    kernel: tuple[int, int]
    stride: tuple[int, int]
    small: tuple[int, int]
    large: tuple[int, int]

    @property
    def full(self) -> tuple[int, int]:
        """Size of the output before it is cropped."""
        rows, columns = (
            (n - 1) * s + k for n, s, k in zip(self.small, self.stride, self.kernel, strict=True)
        )
        return rows, columns

    @property
    def crop(self) -> tuple[int, int]:
        """Rows and columns cut off before the first; of an odd surplus the smaller half."""
        rows, columns = (max(0, (f - n) // 2) for f, n in zip(self.full, self.large, strict=True))
        return rows, columns


def spread(x: Any, w: Any, geometry: Geometry) -> Any:
    """Transposed convolution: every input pixel spreads a kernel's worth over the output.

    Args:
        x: Input of shape `(batch, *small, channels)`.
        w: Kernel of shape `(*kernel, filters, channels)`, of the dtype of `x`.
        geometry: The sizes.

    Returns:
        Output of shape `(batch, *large, filters)`.
    """
    return _bilinear(
        x,
        w,
        forward=lambda x, w: _spread(x, w, geometry),
        first_gradient=lambda _, w, g: gather(g, w, geometry),
        second_gradient=lambda x, _, g: correlate(g, x, geometry),
    )


def gather(g: Any, w: Any, geometry: Geometry) -> Any:
    """Strided convolution, the adjoint of `spread` for its input.

    Args:
        g: Weighting of the output, of shape `(batch, *large, filters)`.
        w: Kernel of shape `(*kernel, filters, channels)`, of the dtype of `g`.
        geometry: The sizes.

    Returns:
        Tensor of shape `(batch, *small, channels)`.
    """
    return _bilinear(
        g,
        w,
        forward=lambda g, w: ops.conv(_uncrop(g, geometry), w, strides=geometry.stride),
        first_gradient=lambda _, w, x: spread(x, w, geometry),
        second_gradient=lambda g, _, x: correlate(g, x, geometry),
    )


def correlate(g: Any, x: Any, geometry: Geometry) -> Any:
    """Correlation of output and input at each kernel tap, the adjoint of `spread` for its kernel.

    Args:
        g: Weighting of the output, of shape `(batch, *large, filters)`.
        x: Input of shape `(batch, *small, channels)`, of the dtype of `g`.
        geometry: The sizes.

    Returns:
        Tensor of shape `(*kernel, filters, channels)`.
    """
    return _bilinear(
        g,
        x,
        forward=lambda g, x: _correlate(g, x, geometry),
        first_gradient=lambda _, x, w: spread(x, w, geometry),
        second_gradient=lambda g, _, w: gather(g, w, geometry),
    )


def _bilinear(
    a: Any,
    b: Any,
    *,
    forward: Callable[[Any, Any], Any],
    first_gradient: Callable[[Any, Any, Any], Any],
    second_gradient: Callable[[Any, Any, Any], Any],
) -> Any:
    """Apply `forward(a, b)` with gradients `first_gradient(a, b, upstream)` and its sibling."""

    def function(a: Any, b: Any) -> Any:
        def gradient(*arguments: Any, upstream: Any = None) -> tuple[Any, Any]:
            # Keras hands over (upstream) on JAX and TensorFlow, (a, b, upstream=...) on PyTorch,
            # where only the handed over a and b are tracked for a second differentiation.
            if upstream is None:
                operands = (a, b, arguments[0])
            else:
                operands = (arguments[0], arguments[1], upstream)
            return first_gradient(*operands), second_gradient(*operands)

        return forward(a, b), gradient

    return ops.custom_gradient(function)(a, b)


def _spread(x: Any, w: Any, geometry: Geometry) -> Any:
    """Sub-pixel form: one dense convolution makes all stride x stride phases of the output.

    With `a = s*t + p`, output row `s*m + p` is the sum over `t` of `x[m - t]` times `w[s*t + p]`:
    an ordinary convolution with `ceil(kernel / s)` taps whose filters are the phases `p`.
    """
    (sh, sw), (filters, channels) = geometry.stride, w.shape[2:]
    th, tw = (-(-k // s) for k, s in zip(geometry.kernel, geometry.stride, strict=True))
    surplus = (th * sh - geometry.kernel[0], tw * sw - geometry.kernel[1])
    w = ops.pad(w, ((0, surplus[0]), (0, surplus[1]), (0, 0), (0, 0)))
    w = ops.flip(ops.reshape(w, (th, sh, tw, sw, filters, channels)), axis=(0, 2))
    w = ops.reshape(ops.transpose(w, (0, 2, 5, 1, 3, 4)), (th, tw, channels, sh * sw * filters))
    y = ops.conv(_pad(x, (th - 1, th - 1), (tw - 1, tw - 1)), w)
    rows, columns = geometry.small[0] + th - 1, geometry.small[1] + tw - 1
    y = ops.transpose(ops.reshape(y, (-1, rows, columns, sh, sw, filters)), (0, 1, 3, 2, 4, 5))
    y = ops.reshape(y, (-1, rows * sh, columns * sw, filters))
    (top, left), (height, width) = geometry.crop, geometry.large
    y = y[:, top : top + height, left : left + width]
    return _pad(y, (0, height - y.shape[1]), (0, width - y.shape[2]))


def _correlate(g: Any, x: Any, geometry: Geometry) -> Any:
    """Contract batch, rows and columns, one kernel tap at a time or all in one convolution."""
    g = _uncrop(g, geometry)
    (kh, kw), (sh, sw), (rows, columns) = geometry.kernel, geometry.stride, geometry.small
    filters, channels = g.shape[-1], x.shape[-1]
    if kh * kw > _MOST_TAPS:
        # Batch and channels change places: `x` becomes a kernel as large as the image, dilated.
        kernel, images = ops.transpose(x, (1, 2, 0, 3)), ops.transpose(g, (3, 1, 2, 0))
        product = ops.conv(images, kernel, dilation_rate=geometry.stride)
        return ops.transpose(product, (1, 2, 0, 3))
    x = ops.reshape(x, (-1, channels))
    taps = []
    for a in range(kh):
        for b in range(kw):
            tap = g[:, a : a + sh * (rows - 1) + 1 : sh, b : b + sw * (columns - 1) + 1 : sw]
            taps.append(ops.matmul(ops.transpose(ops.reshape(tap, (-1, filters))), x))
    return ops.reshape(ops.stack(taps), (kh, kw, filters, channels))


def _uncrop(g: Any, geometry: Geometry) -> Any:
    """Give `g` of shape `(batch, *large, filters)` the `full` size: the adjoint of the crop."""
    (top, left), (rows, columns) = geometry.crop, geometry.full
    height, width = min(g.shape[1], rows - top), min(g.shape[2], columns - left)
    g = g[:, :height, :width]
    return _pad(g, (top, rows - top - height), (left, columns - left - width))


def _pad(image: Any, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
    """Surround images of shape `(batch, height, width, channels)` with zeros."""
    if not any((*rows, *columns)):
        return image
    return ops.pad(image, ((0, 0), rows, columns, (0, 0)))
