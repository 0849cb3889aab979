"""How points are shown: all in one scatter plot, and in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import genkit

_EDGE = 480  # pixels
_COLOUR = "#0072b2"


class Scatter(genkit.Renderer):
    """Draws points together, in the range of the data; writes CSV with the columns x and y."""

    suffix = "csv"
    draws = True
    together = 1000

    def fits(self) -> bool:
        return self.field.shape == (2,) and self.field.range is not None

    def write(self, item: np.ndarray, file: Path) -> None:
        np.savetxt(file, item, fmt="%.9g", delimiter=",", header="x,y", comments="")

    def pictures(self, items: np.ndarray) -> list[Image.Image]:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=(_EDGE / 100, _EDGE / 100), dpi=100)
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_axes((0.11, 0.08, 0.86, 0.86))
        low, high = self.field.range
        # A point on the border stands for one that was refused.
        inside = items[np.all((items > low) & (items < high), axis=1)]
        size = float(np.clip(4000 / max(len(inside), 1), 4, 40))
        axes.scatter(*inside.T, s=size, c=_COLOUR, alpha=0.6, linewidths=0)
        frame(axes, self.field.range)
        canvas.draw()
        return [Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())]


def frame(axes: Any, limits: tuple[float, float]) -> None:
    """Set the range that a plot shows, both ways alike, with few words."""
    axes.set(xlim=limits, ylim=limits, aspect="equal")
    axes.locator_params(nbins=5)
    axes.tick_params(labelsize=9, colors="#444444", length=3)
    for side in axes.spines.values():
        side.set_color("#999999")
