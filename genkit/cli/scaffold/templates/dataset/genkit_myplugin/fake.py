"""A little data, for the checks and to try the plugin with.

``python -m genkit_myplugin.fake`` writes it.
"""

import csv
from pathlib import Path

import numpy as np

_SIZE, _IMAGES = 8, 200


def write_table(folder: Path) -> dict[str, str]:
    """Write a table of crosses and squares, a little noisy; give the settings that open it."""
    rng = np.random.default_rng(0)
    cross = np.eye(_SIZE) + np.eye(_SIZE)[::-1]
    square = np.pad(np.zeros((_SIZE - 4, _SIZE - 4)), 1, constant_values=1)
    shapes = {"cross": cross.clip(0, 1), "square": np.pad(square, 1)}
    path = folder / "shapes.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["label", *(f"pixel{number}" for number in range(_SIZE * _SIZE))])
        for number in range(_IMAGES):
            name = list(shapes)[number % len(shapes)]
            image = 200 * shapes[name] + rng.integers(0, 56, shapes[name].shape)
            writer.writerow([name, *image.astype(int).ravel()])
    return {"path": str(path)}


if __name__ == "__main__":
    print(write_table(Path())["path"])
