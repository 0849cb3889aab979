"""The picture of a density: a model's beside that of points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from genkit_points.show import frame

_SHOWN = 9.0  # nats below the highest density that colours reach down to


def model_cells(
    model: Any, cells: int, label: str | None, options: Mapping[str, Any]
) -> tuple[np.ndarray, float]:
    """Return a model's log density in the middle of each cell of its range.

    Returns:
        shape ``(cells, cells)``, rows from low to high; and the probability of all cells.
    """
    low, high = model.schema[model.schema.name_of("points")].range
    edge = (high - low) / cells
    middles = low + edge * (np.arange(cells) + 0.5)
    grid = np.stack(np.meshgrid(middles, middles), axis=-1).reshape(-1, 2).astype("float32")
    logs = model.density(grid, label, **options).astype(np.float64)
    return logs.reshape(cells, cells), float(np.exp(logs).sum() * edge**2)


def draw(
    logs: np.ndarray, points: np.ndarray, limits: tuple[float, float], path: Path, caption: str
) -> None:
    """Draw log densities beside those of points, in one scale of colours.

    Args:
        logs: the model's, as ``model_cells`` gives them.
        points: shape ``(n, 2)``; their density is a histogram, slightly blurred.
        limits: of both coordinates.
        path: the PNG file.
        caption: stands above the model's.
    """
    from matplotlib.figure import Figure

    cells = len(logs)
    counts, _, _ = np.histogram2d(points[:, 1], points[:, 0], cells, [limits, limits])
    area = ((limits[1] - limits[0]) / cells) ** 2
    # Wider for fewer points, as a kernel density estimate is: a hundredth of the picture for 2000.
    blurred = gaussian_filter(counts, cells / 100 * (2000 / len(points)) ** (1 / 6))
    with np.errstate(divide="ignore"):
        of_data = np.log(blurred / (len(points) * area))
    highest = float(max(np.max(logs), np.max(of_data)))
    figure = Figure(figsize=(9.6, 4.6), dpi=100, layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, values, title in (
        (panels[0], logs, f"Model: {caption}"),
        (panels[1], of_data, f"Data: {len(points):,} points held out"),
    ):
        shown = axes.imshow(
            np.maximum(values, highest - _SHOWN),
            origin="lower",
            extent=(*limits, *limits),
            vmin=highest - _SHOWN,
            vmax=highest,
            cmap="magma",
        )
        axes.set_title(title, fontsize=11)
        frame(axes, limits)
    figure.colorbar(shown, ax=panels, label="log density (nats)")
    partial = path.with_name(f".{path.name}.partial")
    figure.savefig(partial, format="png")
    partial.replace(path)
