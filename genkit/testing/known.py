"""Answers that a metric must give, handed over by the plugin that brings it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from genkit.plugins.specs import Schema


@dataclass(frozen=True)
class KnownAnswer:
    """Items whose figures are known.

    Args:
        schema: what the items are.
        items: by stream, ``"generated"``, ``"real"``, ``"training"``: shape ``(n, ...)`` in the
            schema's range.
        figures: the right value of each figure, by name.
        tolerance: how far a value may be off.
    """

    schema: Schema
    items: Mapping[str, np.ndarray]
    figures: Mapping[str, float]
    tolerance: float = 1e-6
