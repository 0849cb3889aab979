"""What must not be written: asked before anything generated is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import genkit


class InRange(genkit.Reviewer):
    """Refuses points that are not finite, or not inside the range of the data.

    Data never lies on the border of its range: a point there is one that the model put outside,
    and cut off.
    """

    def review(self, items: np.ndarray) -> Sequence[str]:
        finite = np.isfinite(items).all(axis=1)
        low, high = self.field.range or (-np.inf, np.inf)
        inside = np.all((items > low) & (items < high), axis=1)
        return np.where(finite, np.where(inside, "", "out of range"), "not finite").tolist()
