"""Toy features, to check metrics with."""

from __future__ import annotations

import hashlib

import numpy as np

from genkit.evaluation.extractors.images import ImageExtractor
from genkit.testing.fakes import CLASSES

_DIM = 16


class ToyExtractor(ImageExtractor):
    """Means of the pixels under fixed random weights, and classes made of them."""

    name = "toy"
    digest = hashlib.sha256(b"toy").hexdigest()
    resize = "none"
    classes = CLASSES

    def features(self, items: np.ndarray) -> np.ndarray:
        low, _ = self.field.range or (0.0, 1.0)
        flat = (items.reshape(len(items), -1).astype(np.float32) - low) / self.field.span
        weights = np.random.default_rng(0).standard_normal((flat.shape[1], _DIM))
        features: np.ndarray = (flat @ weights / np.sqrt(flat.shape[1])).astype(np.float32)
        return features

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        raised = np.exp(features[:, : len(CLASSES)])
        shares: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
        return shares
