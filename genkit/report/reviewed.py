"""A batch of generated items with what reviewers say of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genkit.report.readable import picked


@dataclass(frozen=True)
class Reviewed:
    """A batch of items, what they are called, and which of them may be written.

    Args:
        items: by output field, ``n`` each: arrays, or lists of arrays that vary in length.
        names: one each; of the file, without its ending.
        label: the class that all were generated for, if any.
        allowed: bool array of shape ``(n,)``.
    """

    items: Mapping[str, Any]
    names: Sequence[str]
    label: int | None
    allowed: np.ndarray

    def kept(self) -> dict[str, Any]:
        """Return the items that may be written, by field."""
        return {name: picked(items, self.allowed) for name, items in self.items.items()}
