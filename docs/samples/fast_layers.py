# ruff: noqa: E402 - the backend must be chosen before Keras is imported
import genkit

genkit.activate()

from keras import Input, Sequential, layers
from sklearn.datasets import load_digits

from genkit.layers import BatchNormalization, Conv2D, Conv2DTranspose

generator = Sequential(
    [
        Input((32,)),
        layers.Dense(4 * 4 * 64),
        BatchNormalization(),
        layers.LeakyReLU(0.2),
        layers.Reshape((4, 4, 64)),
        Conv2DTranspose(32, 4, strides=2, padding="same"),
        BatchNormalization(),
        layers.LeakyReLU(0.2),
        Conv2D(1, 3, padding="same"),
        layers.Activation("tanh", dtype="float32"),
    ]
)
discriminator = Sequential(
    [
        Input((8, 8, 1)),
        Conv2D(32, 4, strides=2, padding="same"),
        layers.LeakyReLU(0.2),
        layers.Flatten(),
        layers.Dense(1, dtype="float32"),
    ]
)
gan = genkit.GAN(generator, discriminator, output_range=(-1, 1))
gan.fit(load_digits().images[..., None], steps=100)
