"""PyTorch: its own convolutions and batch normalisation, on Keras' layout; quicker dropout.

Keras keeps images as (batch, height, width, channels). Seen through ``permute`` this is PyTorch's
channels-last memory format, which its kernels read and write as it is: nothing is copied.
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from torch.nn import functional

from genkit.engine.collective import workers
from genkit.engine.kernels.geometry import Geometry

_CHANCES = 2**16  # how finely a dropout's rate is told


def convolution(  # noqa: PLR0917
    x: Any,
    w: Any,
    bias: Any,
    strides: tuple[int, int],
    padding: str,
    dilation: tuple[int, int],
) -> Any:
    """See ``genkit.engine.kernels.fastest``.

    Keras copies the images into the other layout and back again before the same call.
    """
    # A kernel is small; some of PyTorch's convolutions (float16 on the CPU) want it in order.
    x, w = x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1).contiguous()
    pairs = [(0, 0), (0, 0)]
    if padding == "same":
        sizes = zip(x.shape[2:], w.shape[2:], strides, dilation, strict=True)
        surplus = [max((-(-n // s) - 1) * s + d * (k - 1) + 1 - n, 0) for n, k, s, d in sizes]
        pairs = [(total // 2, total - total // 2) for total in surplus]
    if any(before != after for before, after in pairs):
        x = functional.pad(x, (*pairs[1], *pairs[0]))
        pairs = [(0, 0), (0, 0)]
    y = functional.conv2d(
        x,
        w,
        bias,
        stride=strides,
        padding=[before for before, _ in pairs],
        dilation=dilation,
        groups=x.shape[1] // w.shape[1],
    )
    return y.permute(0, 2, 3, 1)


def transposed_convolution(x: Any, w: Any, bias: Any, geometry: Geometry) -> Any:
    """See ``genkit.engine.kernels.fastest``.

    What is cut off on both sides PyTorch doesn't compute in the first place; Keras' own form
    computes all of it, and copies what it keeps.
    """
    before = geometry.crop
    after = [f - n - c for f, n, c in zip(geometry.full, geometry.large, before, strict=True)]
    padding = [max(0, min(pair)) for pair in zip(before, after, strict=True)]
    y = functional.conv_transpose2d(
        x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), stride=geometry.stride, padding=padding
    )
    y = y.permute(0, 2, 3, 1)
    top, left = (b - p for b, p in zip(before, padding, strict=True))
    height, width = geometry.large
    y = y[:, top : top + height, left : left + width]
    missing = (0, 0, 0, width - y.shape[2], 0, height - y.shape[1])
    if any(missing):
        y = functional.pad(y, missing)
    return y if bias is None else y + bias


def batch_normalization(x: Any, scale: Any, offset: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """See ``genkit.engine.kernels.fastest``."""
    y, mean, inverse = torch.native_batch_norm(
        x.movedim(-1, 1), scale, offset, None, None, training=True, momentum=0.0, eps=epsilon
    )
    return y.movedim(1, -1), mean, inverse**-2 - epsilon  # inverse = 1 / sqrt(variance + epsilon)


def shared_batch_normalization(
    x: Any, scale: Any, offset: Any, epsilon: float
) -> tuple[Any, Any, Any]:
    """See ``genkit.engine.kernels.fastest``."""
    wide = x.movedim(-1, 1).float()
    y, mean, variance = _SharedBatchNormalization.apply(wide, scale, offset, epsilon)
    return y.movedim(1, -1).to(x.dtype), mean, variance


class _SharedBatchNormalization(torch.autograd.Function):
    """Batch normalisation over workers with PyTorch's own kernels, which see a part each.

    With channels as the second axis. Ioffe and Szegedy 2015 give the gradient: what goes through
    the statistics needs two sums over the batch, those that are the gradients of offset and scale.
    """

    @staticmethod
    def forward(ctx: Any, x: Any, scale: Any, offset: Any, epsilon: float) -> Any:
        own = torch.stack(torch.batch_norm_update_stats(x, None, None, 0.0))
        mean, variance = _of_all(own)
        ctx.save_for_backward(x, scale, offset, mean, variance)
        ctx.epsilon, ctx.workers = epsilon, workers()
        ctx.mark_non_differentiable(mean, variance)
        return functional.batch_norm(x, mean, variance, scale, offset, eps=epsilon), mean, variance

    @staticmethod
    def backward(ctx: Any, gradient: Any, *_: Any) -> Any:
        x, scale, offset, mean, variance = ctx.saved_tensors
        if torch.is_grad_enabled():  # a gradient of the gradient: the kernels know none through all
            y = _shared_plainly(x, scale, offset, ctx.epsilon)
            wanted = ctx.needs_input_grad[:3]
            inputs = list(itertools.compress((x, scale, offset), wanted))
            found = iter(torch.autograd.grad(y, inputs, gradient, create_graph=True))
            return *(next(found) if is_wanted else None for is_wanted in wanted), None
        to_x, to_scale, to_offset = torch.ops.aten.native_batch_norm_backward(
            gradient, x, scale, mean, variance, None, None, False, ctx.epsilon, [True] * 3
        )
        scales, offsets = ctx.workers.sum([to_scale, to_offset])
        count = ctx.workers.size * x.numel() // x.shape[1]
        inverse = (variance + ctx.epsilon).rsqrt()
        slope = -scale * inverse * inverse * scales / count
        level = -scale * inverse * offsets / count - slope * mean
        shape = (-1,) + (1,) * (x.ndim - 2)
        to_x = torch.addcmul(to_x + level.view(shape), x, slope.view(shape))
        return to_x, to_scale, to_offset, None


def _shared_plainly(x: Any, scale: Any, offset: Any, epsilon: float) -> Any:
    """Return the same ``y`` by operations that can be differentiated again and again."""
    axes = (0, *range(2, x.ndim))
    variance, mean = torch.var_mean(x, axes, correction=0)
    mean, variance = _of_all(torch.stack([mean, variance]))
    factor = scale * (variance + epsilon).rsqrt()
    shape = (-1,) + (1,) * (x.ndim - 2)
    return x * factor.view(shape) + (offset - mean * factor).view(shape)


def _of_all(own: Any) -> tuple[Any, Any]:
    """Return mean and variance of the whole batch, of shape ``(channels,)``.

    Args:
        own: those of this worker's part, of shape ``(2, channels)``.
    """
    means, variances = workers().gather(own[None]).unbind(1)
    mean = means.mean(0)
    return mean, (variances + (means - mean).square()).mean(0)


def normalization(  # noqa: PLR0917
    x: Any, mean: Any, variance: Any, scale: Any, offset: Any, epsilon: float
) -> Any:
    """See ``genkit.engine.kernels.fastest``."""
    y = functional.batch_norm(x.movedim(-1, 1), mean, variance, scale, offset, eps=epsilon)
    return y.movedim(1, -1)


def dropout(x: Any, rate: float) -> Any:
    """See ``genkit.engine.kernels.fastest``.

    PyTorch draws a CPU's random numbers on one core, one by one; an ``int64`` holds what decides
    about four values.
    """
    if x.device.type != "cpu":
        return functional.dropout(x, rate)
    count = x.numel()
    drawn = torch.randint(-(2**63), 2**63 - 1, ((count + 3) // 4,), dtype=torch.int64)
    kept = min(max(round((1 - rate) * _CHANCES), 1), _CHANCES - 1)
    mask = drawn.view(torch.int16)[:count].view(x.shape) < kept - _CHANCES // 2
    return x * (mask.to(x.dtype) * (_CHANCES / kept))
