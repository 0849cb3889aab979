# ruff: noqa: E402 - the backend must be chosen before Keras is imported
import genkit

genkit.activate()

import keras
from keras import layers, ops
from pydantic import Field
from sklearn.datasets import load_digits

from genkit.data import as_source
from genkit.layers import rescale


# [config]
class WGANConfig(genkit.Config):
    """Settings of the Wasserstein GAN."""

    latent_dim: int = Field(32, ge=1, description="Length of the noise vector")
    penalty: float = Field(10.0, ge=0, description="Weight of the gradient penalty")
    warmup_steps: int = Field(20, ge=1, description="Steps over which the penalty rises")
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size, both networks")
    # [/config]


# [networks]
class WGAN(genkit.Model):
    """Wasserstein GAN with gradient penalty (Gulrajani et al. 2017)."""

    batches_per_step = 2  # training_step gets a tuple of two batches

    def __init__(self, config, schema):
        super().__init__(config, schema)
        shape = schema["image"].shape  # (height, width, channels)
        size = shape[0] * shape[1] * shape[2]
        self.generator = keras.Sequential(
            [
                keras.Input((config.latent_dim,)),
                layers.Dense(128, "relu"),
                layers.Dense(size, "tanh"),
                layers.Reshape(shape),
            ]
        )
        self.critic = keras.Sequential(
            [
                keras.Input(shape),
                layers.Flatten(),
                layers.Dense(128, "relu"),
                layers.Dense(1),
            ]
        )
        for name, network in (("critic", self.critic), ("generator", self.generator)):
            adam = keras.optimizers.Adam(config.learning_rate, beta_1=0.5)
            self.add_optimizer(name, adam, network)
        # [/networks]

    # [noise]
    def noise(self, rng, n):
        return {
            "z": rng.standard_normal((n, self.config.latent_dim), dtype="float32"),
            "mix": rng.random((n, 1, 1, 1), dtype="float32"),
        }
        # [/noise]

    # [losses]
    def critic_loss(self, batch):
        real = rescale(batch["image"], self.schema["image"].range, (-1.0, 1.0))
        fake = self.generator(batch["z"], training=True)
        distance = ops.mean(self.critic(real)) - ops.mean(self.critic(fake))
        loss = -distance
        if batch["penalize"]:  # a Python bool: each value is compiled once
            between = batch["mix"] * real + (1.0 - batch["mix"]) * fake
            slope = genkit.gradient(self.critic, between)
            norm = ops.sqrt(ops.sum(ops.square(slope), axis=(1, 2, 3)) + 1e-12)
            loss = loss + batch["penalty_weight"] * ops.mean(ops.square(norm - 1.0))
        return loss, {"distance": distance}

    def generator_loss(self, batch):
        return -ops.mean(self.critic(self.generator(batch["z"], training=True)))
        # [/losses]

    # [step]
    def schedule(self, step):
        rise = min(1.0, step / self.config.warmup_steps)
        return {"penalize": step % 2 == 0, "penalty_weight": self.config.penalty * rise}

    def training_step(self, batch, minimize):
        for part in batch:
            _, logs = minimize("critic", self.critic_loss, part)
        g_loss, _ = minimize("generator", self.generator_loss, batch[-1])
        return {"g_loss": g_loss, **logs}
        # [/step]

    # [decode]
    def decode(self, z, **_):
        return rescale(self.generator(z), (-1.0, 1.0), self.schema["image"].range)
        # [/decode]


# [use]
source = as_source(load_digits().images[..., None])
model = WGAN(WGANConfig(penalty=5.0), source.schema)
history = model.fit(source, steps=60)
print(history.history)
print(model.generate(16).shape)
# [/use]
