"""Points as GenKit's data: the modality, its schema, and the data set of toy densities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

import genkit
from genkit.data import ArraySource
from genkit_points.configs import PointsConfig
from genkit_points.densities import DENSITIES, MODES, Modes


class PointsSource(ArraySource):
    """Points, and what is known of where they come from.

    Args:
        points: shape ``(n, 2)``, inside ``limits``.
        limits: lowest and highest value of both coordinates. No point lies on that border: one
            that does was cut off by a model.
        labels: class numbers, shape ``(n,)``; None for points without.
        classes: their names.
        modes: what the points are a mixture of, if that is known.
    """

    def __init__(
        self,
        points: np.ndarray,
        limits: tuple[float, float],
        labels: np.ndarray | None = None,
        classes: Sequence[str] = (),
        modes: Modes | None = None,
    ) -> None:
        fields = {"points": genkit.Field((2,), "float32", "points", range=limits)}
        arrays = {"points": points.astype("float32")}
        if labels is not None:
            fields["label"] = genkit.Field((), "int32", "label", classes=tuple(classes))
            arrays["label"] = labels.astype("int32")
        super().__init__(arrays, genkit.Schema(fields))
        self.modes = modes


def open_points(config: PointsConfig) -> PointsSource:
    """Open a toy density: fields ``points``, float32 of shape (2,) within -1 and 1, and ``label``.

    The label is the mode, or the ring, arm or square.
    """
    draw, classes = DENSITIES[config.density]
    # Each split has a stream of its own: more points of one don't change the other.
    rng = np.random.default_rng([config.seed, ("train", "test").index(config.split)])
    points, labels = draw(config.n, rng)
    names = [str(number) for number in range(classes)]
    return PointsSource(points, (-1.0, 1.0), labels, names, MODES.get(config.density))
