"""Places drawn by their weights, in tensors: what models draw codes by."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

_AT_ONCE = 32  # places: so few are added up by one product
_FINE = 2**24  # whole numbers below it are exact as float32


def uniform_of(draws: Any) -> Any:
    """Return numbers from 0 to 1, below 1, of whole numbers below 2**31."""
    return ops.cast(draws // 128, "float32") / _FINE


def sums_along(weights: Any) -> Any:
    """Return sums up to each place, that of the place itself included: shape like ``weights``.

    Products with triangles, not ops.cumsum: XLA computes that one ten times slower.

    Args:
        weights: shape ``(n, places)``.
    """
    places = weights.shape[1]
    if places <= _AT_ONCE:
        triangle = np.triu(np.ones((places, places), np.float32))
        return ops.matmul(weights, ops.convert_to_tensor(triangle))
    blocks = _blocks(weights, _AT_ONCE)
    inside = sums_along(ops.reshape(blocks, (-1, _AT_ONCE)))
    inside = ops.reshape(inside, (-1, blocks.shape[1], _AT_ONCE))
    totals = inside[:, :, -1]
    sums = inside + (sums_along(totals) - totals)[:, :, None]
    return ops.reshape(sums, (-1, blocks.shape[1] * _AT_ONCE))[:, :places]


def among(weights: Any, uniform: Any) -> Any:
    """Return places drawn by their weights: int32 of shape ``(n,)``, none whose weight is 0.

    Of many places a block of them is drawn first, and one in it: that adds up a few numbers of
    each row, not all.

    Args:
        weights: shape ``(n, places)``, one of a row at least above 0.
        uniform: 0 to 1, shape ``(n,)``.
    """
    places = weights.shape[1]
    if places <= _AT_ONCE:
        return _drawn(weights, uniform * ops.sum(weights, axis=1))[0]
    size = 1 << (places - 1).bit_length() // 2
    blocks = _blocks(weights, size)
    totals = ops.sum(blocks, axis=2)
    block, rest = _drawn(totals, uniform * ops.sum(totals, axis=1))
    inside = ops.take_along_axis(blocks, block[:, None, None], axis=1)[:, 0]
    return block * size + _drawn(inside, rest)[0]


def _drawn(weights: Any, point: Any) -> tuple[Any, Any]:
    """Return the place at which sums of weights pass a point, and how far into it the point is."""
    places, sums = weights.shape[1], sums_along(weights)
    span = ops.arange(places, dtype="int32")[None]
    there = weights > 0  # rounding may step over the end, or stop where nothing is
    beyond = ops.logical_and(sums > point[:, None], there)
    last = ops.max(ops.where(there, span, 0), axis=1)
    found = ops.minimum(ops.min(ops.where(beyond, span, places), axis=1), last)
    before = ops.sum(ops.where(span < found[:, None], weights, 0.0), axis=1)
    return found, point - before


def _blocks(weights: Any, size: int) -> Any:
    """Return weights in blocks, zeros behind them: shape ``(n, blocks, size)``."""
    places = weights.shape[1]
    filled = ops.pad(weights, ((0, 0), (0, -places % size)))
    return ops.reshape(filled, (-1, -(-places // size), size))
