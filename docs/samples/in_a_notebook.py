# ruff: noqa: E402, B018 - cells of a notebook import where they need, and show their last line
# [activate]
import genkit

genkit.activate()
# [train]
result = genkit.train("vae", dataset="digits", steps=1000)
result
# [losses]
import matplotlib.pyplot as plt

plt.plot(result.history["step"], result.history["loss"])
# [generate]
model = genkit.load(result)
model.show(16)
# [arrays]
images = model.generate(16, seed=0)
images.shape, images.min(), images.max()
# [walk]
import numpy as np

digits = genkit.open_data(result, unseen=True).gather(np.arange(2))["image"]
(way,) = model.interpolate(digits[:1], digits[1:], steps=8)
plt.imshow(np.hstack(way[..., 0]), cmap="gray")
# [resume]
genkit.resume(result.path, more_steps=500)
# [end]
