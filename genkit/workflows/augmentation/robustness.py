"""Corruptions of test images: what a classifier meets outside the laboratory."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

import numpy as np
from scipy.ndimage import gaussian_filter

NOISE_DEVIATION = 0.2
BLUR_WIDTH = 1 / 28


def noisy(images: np.ndarray, first: int) -> np.ndarray:
    """Add Gaussian noise with a standard deviation of a fifth of the range.

    Args:
        images: float32 in [0, 1], shape ``(n, height, width, channels)``.
        first: index of the first; the same items get the same noise, whoever is tested.
    """
    noise = np.random.default_rng([first]).standard_normal(images.shape, dtype="float32")
    return np.asarray(np.clip(images + np.float32(NOISE_DEVIATION) * noise, 0, 1))


def blurred(images: np.ndarray, first: int) -> np.ndarray:  # noqa: ARG001 - as all corruptions
    """Blur with a Gaussian whose standard deviation is 1/28 of each side: a pixel of 28."""
    height, width = images.shape[1:3]
    deviations = (0, BLUR_WIDTH * height, BLUR_WIDTH * width, 0)
    return np.asarray(gaussian_filter(images, deviations, mode="nearest"))


CORRUPTIONS: MappingProxyType[str, Callable[[np.ndarray, int], np.ndarray]] = MappingProxyType(
    {"noise": noisy, "blur": blurred}
)
DESCRIPTIONS = MappingProxyType(
    {
        "noise": f"Gaussian noise, standard deviation {NOISE_DEVIATION} of the range",
        "blur": "Gaussian blur, standard deviation 1/28 of each side",
    }
)
