"""Images made larger or smaller, or blurred, by a filter."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from keras import ops

from genkit.errors import UsageError


def resample(
    x: Any,
    *,
    taps: Sequence[float] = (1, 3, 3, 1),
    up: int = 1,
    down: int = 1,
    padding: tuple[int, int] | None = None,
    gain: float | None = None,
) -> Any:
    """Return images enlarged, filtered and made smaller, along both axes alike.

    Along each axis `up - 1` zeros are put after each pixel, the result is convolved with the taps
    and every `down`-th place is kept. So `up=2` doubles images and `down=2` halves them without
    jagged edges (Zhang 2019, "Making Convolutional Networks Shift-Invariant Again"), and without
    either they are blurred. All of it is one product with a banded matrix along each axis, which
    each framework computes well, derivatives of all orders included.

    Args:
        x: float images of shape `(batch, height, width, channels)`.
        taps: the filter along one axis; it is divided by its sum.
        up: how many times larger.
        down: how many times smaller.
        padding: zeros before and after each axis, counted in places after `up`; negative ones are
            places cut off. None: as many as keep the picture in the middle, with
            `height * up / down` rows, rounded up.
        gain: what all values are multiplied by; None: `up**2`, which keeps the brightness.

    Returns:
        shape `(batch, new_height, new_width, channels)`, of the images' type.

    Raises:
        UsageError: factors below 1, taps with the sum 0, or less than one pixel left.
    """
    if up < 1 or down < 1 or not sum(taps):
        raise UsageError(
            f"Expected up and down of at least 1 and taps with a sum other than 0; received "
            f"up={up}, down={down}, taps={tuple(taps)}."
        )
    x = ops.convert_to_tensor(x)
    _, height, width, channels = x.shape
    rows, columns = (
        _matrix(n, tuple(taps), up, down, None if padding is None else tuple(padding))
        for n in (height, width)
    )
    rows = rows * (up**2 if gain is None else gain)
    x = ops.reshape(x, (-1, height, width * channels))
    x = ops.matmul(ops.cast(rows, x.dtype), x)
    x = ops.reshape(x, (-1, width, channels))
    x = ops.matmul(ops.cast(columns, x.dtype), x)
    return ops.reshape(x, (-1, len(rows), len(columns), channels))


@lru_cache(maxsize=256)
def _matrix(
    size: int, taps: tuple[float, ...], up: int, down: int, padding: tuple[int, int] | None
) -> np.ndarray:
    """Return what an axis is multiplied by, of shape `(new_size, size)`, float32."""
    length = size * up
    if padding is None:
        new_size = -(-length // down)
        # The middle of the first pixel kept is that of the first `down` places.
        before = (len(taps) - down + up) // 2
    else:
        before = padding[0]
        new_size = -(-(length + sum(padding) - len(taps) + 1) // down)
    if new_size < 1:
        raise UsageError(
            f"Expected at least one pixel to be left; received {size} with up={up}, down={down}, "
            f"{len(taps)} taps and a padding of {padding}."
        )
    kept = np.arange(new_size)[:, None] * down
    tap = np.arange(size)[None, :] * up + before - kept
    # A convolution: the first tap meets the last of the places.
    reversed_taps = np.asarray(taps, "float64")[::-1] / sum(taps)
    inside = (tap >= 0) & (tap < len(taps))
    return np.where(inside, reversed_taps[np.clip(tap, 0, len(taps) - 1)], 0.0).astype("float32")
