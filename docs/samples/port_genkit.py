import genkit

genkit.activate()  # or genkit.activate("torch")

# [model]
import keras
from keras import layers, ops
from sklearn.datasets import load_digits

images = (load_digits().images / 8 - 1)[..., None]


class PortedGAN(genkit.Model):
    def __init__(self, config=None, schema=None):
        super().__init__(config, schema)
        self.generator = keras.Sequential(
            [
                keras.Input((32,)),
                layers.Dense(64, "relu"),
                layers.Dense(64, "tanh"),
                layers.Reshape((8, 8, 1)),
            ]
        )
        self.discriminator = keras.Sequential(
            [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(1)]
        )
        self.add_optimizer("d", keras.optimizers.Adam(2e-4, 0.5), self.discriminator)
        self.add_optimizer("g", keras.optimizers.Adam(2e-4, 0.5), self.generator)

    def noise(self, rng, n):
        return {"z": rng.standard_normal((n, 32), dtype="float32")}

    def d_loss(self, batch):
        on_real = self.discriminator(batch["image"], training=True)
        on_fake = self.discriminator(self.generator(batch["z"], training=True), training=True)
        return ops.mean(ops.softplus(-on_real) + ops.softplus(on_fake))

    def g_loss(self, batch):
        on_fake = self.discriminator(self.generator(batch["z"], training=True), training=True)
        return ops.mean(ops.softplus(-on_fake))

    def training_step(self, batch, minimize):
        d_loss, _ = minimize("d", self.d_loss, batch)
        g_loss, _ = minimize("g", self.g_loss, batch)
        return {"d_loss": d_loss, "g_loss": g_loss}

    def decode(self, z):
        return self.generator(z, training=False)


# [/model]
# [use]
gan = PortedGAN()
gan.fit(images, steps=100)
samples = gan.generate(16, seed=0)
# [/use]
print(samples.shape, samples.min(), samples.max())
