"""Random changes to images that gradients pass through: a generator can learn through them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

DRAWS = 7
"""Uniform numbers in [0, 1) that decide about one image."""

AUGMENTATIONS = ("color", "translation", "cutout")

_LARGEST_SHIFT = 1 / 8
_CUT = 1 / 2


def augment_images(images: Any, draws: Any, kinds: Sequence[str]) -> Any:
    """Change each image at random; differentiable in the images.

    Zhao et al. 2020, "Differentiable Augmentation for Data-Efficient GAN Training": the
    discriminator sees real and generated images only so changed, which keeps it from learning a
    small data set by heart, and the generator learns through the change, so doesn't imitate it.

    - ``color``: brightness by -0.5 to 0.5, saturation by 0 to 2, contrast by 0.5 to 1.5;
    - ``translation``: a shift by up to an eighth of the size each way, zeros coming in;
    - ``cutout``: a rectangle of half the size each way, somewhere in the image, is set to zero.

    Args:
        images: float, shape ``(batch, height, width, channels)``, in [-1, 1].
        draws: uniform in [0, 1), shape ``(batch, 7)``.
        kinds: some of ``"color"``, ``"translation"`` and ``"cutout"``, applied in this order.

    Returns:
        shape and dtype of the images.
    """
    brightness, saturation, contrast, *places = (draws[:, i, None] for i in range(DRAWS))
    if "color" in kinds:
        images = _recolored(images, brightness, saturation, contrast)
    if "translation" in kinds:
        images = _shifted(images, *places[:2])
    if "cutout" in kinds:
        images = _cut(images, *places[2:])
    return images


def _recolored(images: Any, brightness: Any, saturation: Any, contrast: Any) -> Any:
    brightness, saturation, contrast = (
        ops.cast(x, images.dtype)[:, None, None] for x in (brightness, saturation, contrast)
    )
    images = images + (brightness - 0.5)
    gray = ops.mean(images, axis=3, keepdims=True)
    images = (images - gray) * (2.0 * saturation) + gray if images.shape[3] > 1 else images
    mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    return (images - mean) * (contrast + 0.5) + mean


def _shifted(images: Any, down: Any, right: Any) -> Any:
    """Shift by whole pixels, as a product with a 0-1 matrix for each axis."""
    rows = _shift(down, images.shape[1], images.dtype)
    columns = _shift(right, images.shape[2], images.dtype)
    return ops.einsum("bij,bjkc,blk->bilc", rows, images, columns)


def _shift(draw: Any, size: int, dtype: str) -> Any:
    largest = int(size * _LARGEST_SHIFT + 0.5)
    by = ops.cast(ops.floor(draw * (2 * largest + 1)), "int32") - largest  # (batch, 1)
    place = ops.arange(size, dtype="int32")
    return ops.cast((place[None, :, None] - place[None, None, :]) == by[..., None], dtype)


def _cut(images: Any, down: Any, right: Any) -> Any:
    inside = (
        _within(down, images.shape[1])[:, :, None] & _within(right, images.shape[2])[:, None, :]
    )
    return images * ops.cast(~inside, images.dtype)[..., None]


def _within(draw: Any, size: int) -> Any:
    """Return which places a stretch of half the size covers, its middle anywhere: (batch, size)."""
    length = int(size * _CUT + 0.5)
    start = ops.cast(ops.floor(draw * (size + (1 - length % 2))), "int32") - length // 2
    place = ops.arange(size, dtype="int32")[None, :]
    return (place >= start) & (place < start + length)
