"""A whole run of one's own networks on data in memory: docs/how-to/train-from-memory.md."""
# ruff: noqa: E402 - the backend must be chosen before Keras is imported

# [data]
import genkit

genkit.activate()

from sklearn.datasets import load_digits

digits = load_digits()
data = {"image": digits.images[..., None].astype("uint8"), "label": digits.target}

result = genkit.train("vae", dataset=data, steps=50, name="digits", verbose=False)
print(genkit.evaluate(result, n=100, metrics=["fid"], verbose=False))
# [/data]


# [items]
def pictures():
    """Make an iterator of items, from the beginning."""
    for image, target in zip(digits.images, digits.target, strict=True):
        yield {"image": image[..., None].astype("uint8"), "label": target}


genkit.resume("digits", more_steps=10, dataset=pictures, verbose=False)
# [/items]

# [model]
from keras import Input, Sequential, layers


def small_gan(schema):
    """Build the networks for pictures of any size."""
    shape = schema["image"].shape
    generator = Sequential([Input((32,)), layers.Dense(64, "relu"), layers.Dense(64, "tanh")])
    generator.add(layers.Reshape(shape))
    discriminator = Sequential([Input(shape), layers.Flatten(), layers.Dense(64, "relu")])
    discriminator.add(layers.Dense(1))
    return genkit.GAN(generator, discriminator, output_range=(-1, 1))


result = genkit.train(small_gan, dataset=data, steps=50, name="own", verbose=False)
print(genkit.write_report(result).path)
# [/model]

# [again]
model = genkit.load("own", model=small_gan)
genkit.resume("own", more_steps=50, dataset=data, model=small_gan, verbose=False)
# [/again]
print(model.generate(4).shape)
