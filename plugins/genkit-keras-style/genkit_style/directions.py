"""Directions of a style along which pictures change most, in closed form.

Shen and Zhou 2021, "Closed-Form Factorization of Latent Semantics in GANs": a move of the style
changes what layers do by the move times their weights, so the directions are the eigenvectors of
those weights' squares, the largest first.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np


def directions(model: Any, layers: slice = slice(None)) -> np.ndarray:
    """Return directions of unit length, float32 ``(width, width)``, one a row.

    Args:
        model: a ``StyleGAN2``.
        layers: which of the styles are moved, by number; the first decide about form, the last
            about colour.
    """
    moved = set(range(model.synthesis.styles)[layers])
    kernels = [
        keras.ops.convert_to_numpy(layer.kernel.value).astype("float64")
        for layer, number in model.synthesis.style_layers
        if number in moved
    ]
    weights = np.concatenate(
        [kernel / np.maximum(np.linalg.norm(kernel, axis=0), 1e-12) for kernel in kernels], axis=1
    )
    _, vectors = np.linalg.eigh(weights @ weights.T)
    found = vectors.T[::-1]
    # An eigenvector has two signs; the largest of its numbers is made positive.
    largest = found[np.arange(len(found)), np.abs(found).argmax(axis=1)]
    return (found * np.sign(largest)[:, None]).astype("float32")
