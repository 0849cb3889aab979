# ruff: noqa: E402 - the backend must be chosen before Keras is imported
import genkit

genkit.activate()  # or genkit.activate("jax")

from keras import Input, Sequential, layers
from sklearn.datasets import load_digits

images = load_digits().images[..., None]  # (1797, 8, 8, 1), values 0 to 16

generator = Sequential([Input((32,)), layers.Dense(64, "relu"), layers.Dense(64, "tanh")])
generator.add(layers.Reshape((8, 8, 1)))

discriminator = Sequential([Input((8, 8, 1)), layers.Flatten(), layers.Dense(64, "relu")])
discriminator.add(layers.Dense(1))  # a logit: no sigmoid

gan = genkit.GAN(generator, discriminator, output_range=(-1, 1))
history = gan.fit(images, steps=100)
print(history.history)

samples = gan.generate(16)  # in the range of the data again: 0 to 16
print(samples.shape, samples.min(), samples.max())
