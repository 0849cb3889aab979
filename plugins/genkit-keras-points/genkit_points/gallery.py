"""Make the picture of the README: each toy density, and what the three models learn of it.

python gallery.py gallery.png --steps 2000
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import genkit
from genkit_points.configs import PointsConfig
from genkit_points.data import open_points
from genkit_points.densities import DENSITIES
from genkit_points.show import frame

MODELS = ("points-gan", "points-vae", "points-flow")
_SHOWN = 2000


def main() -> None:
    """Train each model on each density, and draw a row for each."""
    from matplotlib.figure import Figure

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="the PNG file")
    parser.add_argument("--steps", type=int, default=2000, help="training steps of each model")
    given = parser.parse_args()
    figure = Figure(figsize=(1.6 * len(DENSITIES), 6.6), dpi=100, layout="constrained")
    panels = figure.subplots(1 + len(MODELS), len(DENSITIES))
    for column, density in enumerate(DENSITIES):
        for row, name in enumerate(("data", *MODELS)):
            axes = panels[row, column]
            axes.scatter(*_points(name, density, given.steps).T, s=1, c="#0072b2", linewidths=0)
            frame(axes, (-1, 1))
            axes.set(xticks=[], yticks=[])
            if row == 0:
                axes.set_title(density, fontsize=10)
            if column == 0:
                axes.set_ylabel(name, fontsize=10)
    figure.savefig(given.out)


def _points(name: str, density: str, steps: int) -> object:
    if name == "data":
        return open_points(PointsConfig.model_validate({"density": density, "n": _SHOWN})).arrays[
            "points"
        ]
    with tempfile.TemporaryDirectory() as folder:
        result = genkit.train(
            name, data={"density": density}, steps=steps, runs_dir=folder, verbose=False
        )
        return genkit.load(result).generate(_SHOWN)


if __name__ == "__main__":
    main()
