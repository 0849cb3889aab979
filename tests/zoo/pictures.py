"""Pictures for the documentation: ``python -m tests.zoo.pictures RUN ...`` draws docs/images/zoo.

For each run its samples beside the curves of its losses; for models with latents also items above
their reconstructions, and walks between items.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

mpl.use("Agg")
import matplotlib.pyplot as plt

import genkit
from genkit.plugins.registry import installed
from genkit.report import grids
from genkit.runs.inputs import open_data
from genkit.runs.run import Run

FOLDER = Path("docs/images/zoo")
_ROWS = 8
_SMOOTHED = 50
_NO_LOSSES = ("step", "epoch", "seconds")


def main() -> None:
    """Draw the runs that the command line names."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in map(Path, sys.argv[1:]):
        run = Run.open(path)
        model: Any = genkit.load(path)
        preset = "" if run.plan.preset == "default" else f"-{run.plan.preset}"
        name = f"{run.plan.model}{preset}"
        _samples_and_curves(model, run, FOLDER / f"{name}.png")
        if "reconstruct" in model.capabilities:
            _latents(model, run, FOLDER / f"{name}-latents.png")


def _samples_and_curves(model: Any, run: Run, file: Path) -> None:
    # Without a label the classes take turns: a column a class.
    columns = len(model.classes()) if model.conditional else _ROWS
    samples = model.generate(columns * _ROWS, seed=1)
    sheet = grids.grid(grids.to_pictures(samples, model.schema["image"]), columns)
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    left.imshow(sheet, cmap="gray")
    left.axis("off")
    rows = run.metrics()
    window = min(_SMOOTHED, len(rows))
    for key in (key for key in rows[0] if key not in _NO_LOSSES):
        values = np.array([row[key] for row in rows], float)
        smooth = np.convolve(values, np.ones(window) / window, mode="valid")
        right.plot(np.arange(window, len(rows) + 1), smooth, label=key, linewidth=1)
    right.set_xlabel(f"step (means of {window})")
    right.legend()
    figure.savefig(file, dpi=100)
    plt.close(figure)


def _latents(model: Any, run: Run, file: Path) -> None:
    test = open_data(run.plan, installed(), unseen=True).gather(np.arange(20))
    label = {"label": test["label"][:10].tolist()} if model.conditional else {}
    first, second = (test["image"][i : i + 10].astype("float32") for i in (0, 10))
    rows = [first, model.reconstruct(first, **label)]
    if "interpolate" in model.capabilities:
        label = {name: values[:5] for name, values in label.items()}
        walks = model.interpolate(first[:5], second[:5], 10, **label)
        rows.append(walks.reshape(-1, *walks.shape[2:]))
    pictures = grids.to_pictures(np.concatenate(rows), model.schema["image"])
    grids.save_png(grids.grid(pictures, 10), file)


if __name__ == "__main__":
    main()
