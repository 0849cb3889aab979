"""JAX: convolutions, forward and backward, in forms that XLA runs well on a CPU.

A transposed convolution, the strided convolution that is its adjoint, and the gradient of either
for the kernel are the three faces of one trilinear form in the input `x`, the kernel `w` and a
weighting `g` of the output:

    form(x, w, g) = sum over n, i, j, a, b, o, c of
                    g[n, s*i + a, s*j + b, o] * w[a, b, o, c] * x[n, i, j, c]

    spread(x, w)    = d form / d g    the transposed convolution
    gather(g, w)    = d form / d x    the strided convolution
    correlate(g, x) = d form / d w    the kernel gradient of both

What is linear in each of two arguments has the other two functions as its gradients. So the three
are closed under differentiation, and a penalty on a gradient, of any order, stays as fast as they
are. The price of `jax.custom_vjp` is that JAX's forward mode (`jax.jvp`) is refused.

None of the three dilates an input. Left to itself, XLA writes both gradients of a transposed
convolution with an input dilated by the stride, for which its CPU backend has only a scalar loop:
a second for what takes thirty milliseconds.
"""

from functools import partial
from typing import Any

import jax
from jax import lax
from jax import numpy as jnp

from genkit.engine.kernels.geometry import Geometry

_LAYOUT = ("NHWC", "HWIO", "NHWC")
_Edges = tuple[tuple[int, int], tuple[int, int]]


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def spread(x: Any, w: Any, geometry: Geometry) -> Any:
    """Transposed convolution: every input pixel spreads a kernel's worth over the output.

    Sub-pixel form (Shi et al. 2016, https://arxiv.org/abs/1609.07009): one dense convolution makes
    all stride x stride phases of the output. With `a = s*t + p`, output row `s*m + p` is the sum
    over `t` of `x[m - t]` times `w[s*t + p]`: an ordinary convolution with `ceil(kernel / s)` taps
    whose filters are the phases `p`.

    Args:
        x: Input of shape `(batch, *small, channels)`.
        w: Kernel of shape `(*kernel, filters, channels)`, of the dtype of `x`.
        geometry: The sizes.

    Returns:
        Output of shape `(batch, *large, filters)`.
    """
    (sh, sw), (filters, channels) = geometry.stride, w.shape[2:]
    th, tw = (-(-k // s) for k, s in zip(geometry.kernel, geometry.stride, strict=True))
    surplus = (th * sh - geometry.kernel[0], tw * sw - geometry.kernel[1])
    w = jnp.pad(w, ((0, surplus[0]), (0, surplus[1]), (0, 0), (0, 0)))
    w = w.reshape(th, sh, tw, sw, filters, channels)[::-1, :, ::-1]
    w = w.transpose(0, 2, 5, 1, 3, 4).reshape(th, tw, channels, sh * sw * filters)
    y = _convolve(x, w, (1, 1), ((th - 1, th - 1), (tw - 1, tw - 1)))
    rows, columns = geometry.small[0] + th - 1, geometry.small[1] + tw - 1
    y = y.reshape(-1, rows, columns, sh, sw, filters).transpose(0, 1, 3, 2, 4, 5)
    y = y.reshape(-1, rows * sh, columns * sw, filters)
    (top, left), (height, width) = geometry.crop, geometry.large
    y = y[:, top : top + height, left : left + width]
    return jnp.pad(y, ((0, 0), (0, height - y.shape[1]), (0, width - y.shape[2]), (0, 0)))


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def gather(g: Any, w: Any, geometry: Geometry) -> Any:
    """Strided convolution, the adjoint of `spread` for its input.

    Args:
        g: Weighting of the output, of shape `(batch, *large, filters)`.
        w: Kernel of shape `(*kernel, filters, channels)`, of the dtype of `g`.
        geometry: The sizes.

    Returns:
        Tensor of shape `(batch, *small, channels)`.
    """
    return _gather(g, w, geometry)


@partial(jax.custom_vjp, nondiff_argnums=(2,))
def correlate(g: Any, x: Any, geometry: Geometry) -> Any:
    """Correlation of output and input at each kernel tap, the adjoint of `spread` for its kernel.

    Args:
        g: Weighting of the output, of shape `(batch, *large, filters)`.
        x: Input of shape `(batch, *small, channels)`, of the dtype of `g`.
        geometry: The sizes.

    Returns:
        Tensor of shape `(*kernel, filters, channels)`.
    """
    g = _computed(g)
    kernel = jax.ShapeDtypeStruct((*geometry.kernel, g.shape[-1], x.shape[-1]), g.dtype)
    # As the gradient of the strided convolution it dilates the kernel, which XLA does well.
    transposed = jax.linear_transpose(lambda w: _gather(g, w, geometry), kernel)
    return transposed(x)[0]


spread.defvjp(
    lambda x, w, geometry: (spread(x, w, geometry), (x, w)),
    lambda geometry, kept, g: (gather(g, kept[1], geometry), correlate(g, kept[0], geometry)),
)
gather.defvjp(
    lambda g, w, geometry: (gather(g, w, geometry), (g, w)),
    lambda geometry, kept, x: (spread(x, kept[1], geometry), correlate(kept[0], x, geometry)),
)
correlate.defvjp(
    lambda g, x, geometry: (correlate(g, x, geometry), (g, x)),
    lambda geometry, kept, w: (spread(kept[1], w, geometry), gather(kept[0], w, geometry)),
)


def convolve_to_few(x: Any, w: Any) -> Any:
    """Convolution with stride 1 and "same" padding to few channels, such as those of an image.

    One matrix product gives each kernel tap's plane; the planes are shifted and added up.

    Args:
        x: Input of shape `(batch, height, width, channels)`.
        w: Kernel of shape `(*kernel, channels, filters)`, of the dtype of `x`.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.
    """
    (batch, height, width, channels), (rows, columns, _, filters) = x.shape, w.shape
    taps = w.transpose(0, 1, 3, 2).reshape(-1, channels)
    # Products and sums in float32, as inside any convolution.
    planes = jnp.matmul(taps, x.reshape(-1, channels).T, preferred_element_type=jnp.float32)
    planes = planes.reshape(rows, columns, filters, batch, height, width)
    return add_shifted(planes).transpose(1, 2, 3, 0).astype(x.dtype)


@jax.custom_vjp
def add_shifted(planes: Any) -> Any:
    """Shift the plane of each kernel tap to where it belongs, and add them up.

    Args:
        planes: Tensor of shape `(rows, columns, ..., height, width)`.

    Returns:
        Tensor of shape `(..., height, width)`.
    """
    rows, columns, height, width = (planes.shape[axis] for axis in (0, 1, -2, -1))
    planes = _pad(planes, (rows - 1) // 2, rows // 2, (columns - 1) // 2, columns // 2)
    return sum(
        planes[a, b, ..., a : a + height, b : b + width]
        for a in range(rows)
        for b in range(columns)
    )


@partial(jax.custom_vjp, nondiff_argnums=(1,))
def repeat_shifted(g: Any, taps: tuple[int, int]) -> Any:
    """Return each kernel tap the plane it reads: the adjoint of `add_shifted`.

    Left to itself, JAX adds up as many padded planes as there are taps.
    """
    (rows, columns), (height, width) = taps, g.shape[-2:]
    g = _pad(g, rows // 2, (rows - 1) // 2, columns // 2, (columns - 1) // 2)
    planes = [
        g[..., a : a + height, b : b + width]
        for a in reversed(range(rows))
        for b in reversed(range(columns))
    ]
    return jnp.stack(planes).reshape(rows, columns, *planes[0].shape)


add_shifted.defvjp(
    lambda planes: (add_shifted(planes), jnp.zeros((*planes.shape[:2], 0))),
    lambda kept, g: (repeat_shifted(g, kept.shape[:2]),),
)
repeat_shifted.defvjp(
    lambda g, taps: (repeat_shifted(g, taps), None),
    lambda _taps, _, planes: (add_shifted(planes),),
)


def _pad(x: Any, top: int, bottom: int, left: int, right: int) -> Any:
    return jnp.pad(x, ((0, 0),) * (x.ndim - 2) + ((top, bottom), (left, right)))


def _computed(x: Any) -> Any:
    """Have `x` computed as it is, before it is read in another order.

    XLA would fuse what makes `x` with the transposition of it that a kernel's gradient begins
    with, and so compute it twice, the second time against the order of memory: 26 ms instead of 7
    in a DCGAN. On CPUs it drops optimization barriers, but fuses nothing into a condition, and it
    can't know that this one never changes a number.
    """
    return lax.cond(jnp.isnan(x.reshape(-1)[0]), lambda x: x + jnp.nan, lambda x: x, x)


def _gather(g: Any, w: Any, geometry: Geometry) -> Any:
    return _convolve(g, w, geometry.stride, _edges(geometry))


def _convolve(x: Any, w: Any, strides: tuple[int, int], edges: _Edges) -> Any:
    return lax.conv_general_dilated(x, w, strides, edges, dimension_numbers=_LAYOUT)


def _edges(geometry: Geometry) -> _Edges:
    """Return what brings `large` to `full` on each side; below zero where `large` is larger."""
    rows, columns = (
        (c, f - n - c) for c, f, n in zip(geometry.crop, geometry.full, geometry.large, strict=True)
    )
    return rows, columns
