# ruff: noqa: E402, B018 - as cells of a notebook, which import where they need and show a last line
# [activate]
import genkit

genkit.activate()
# [train]
result = genkit.train("vae", dataset="digits", steps=1000)
# [grid]
import matplotlib.pyplot as plt
import numpy as np

grids = sorted(result.path.glob("samples/*.png"))
plt.figure(figsize=(5, 5))
plt.imshow(plt.imread(grids[-1]))
plt.axis("off")
# [losses]
import json

with (result.path / "metrics.jsonl").open() as file:
    steps = [json.loads(line) for line in file]
plt.figure(figsize=(6, 3))
plt.plot([step["step"] for step in steps], [step["loss"] for step in steps])
plt.xlabel("step")
plt.ylabel("loss")
# [generate]
model = genkit.load(result)
images = model.generate(16, seed=0)
images.shape, images.min(), images.max()
# [show]


def show(images):
    """Show images of one channel side by side."""
    _, places = plt.subplots(1, len(images), figsize=(len(images), 1.2))
    for place, image in zip(places, images, strict=True):
        place.imshow(image[..., 0], cmap="gray")
        place.axis("off")


show(images[:8])
# [walk]
source = genkit.open_data(result, unseen=True)
digits = source.gather(np.arange(2))["image"]
(way,) = model.interpolate(digits[:1], digits[1:], steps=8)
show(way)
# [resume]
result = genkit.resume(result.path, more_steps=500)
result.outcome.metrics
# [end]
