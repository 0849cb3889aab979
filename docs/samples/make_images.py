"""Make a small folder `photos` with captions, and `pictures.npz`: stand-ins for your own."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

rng = np.random.default_rng(0)
colours = {"red": (220, 40, 40), "blue": (40, 60, 220)}
pictures, labels = [], []
for number, (name, colour) in enumerate(colours.items()):
    folder = Path("photos") / name
    folder.mkdir(parents=True)
    for index in range(12):
        picture = np.full((64, 64, 3), 255, np.uint8)
        top, left = rng.integers(0, 32, 2)
        picture[top : top + 32, left : left + 32] = colour
        Image.fromarray(picture).save(folder / f"{index:02}.png")
        pictures.append(picture)
        labels.append(number)

with (Path("photos") / "metadata.jsonl").open("w") as file:
    for name in colours:
        line = {"file_name": f"{name}/00.png", "text": f"a {name} square"}
        file.write(json.dumps(line) + "\n")

np.savez_compressed("pictures.npz", image=np.stack(pictures), kind=np.array(labels))
