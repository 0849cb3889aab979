from sklearn.datasets import load_digits

import genkit
from genkit.evaluation import importance_nll

model = genkit.load(genkit.train("vae", dataset="digits", steps=20, verbose=False))

images = load_digits().images[-100:, :, :, None]  # of the test split
print(importance_nll(model, images, samples=100).mean(), "nats an image")
