import os

os.environ["KERAS_BACKEND"] = "tensorflow"  # the step below is TensorFlow's

import keras
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits

images = (load_digits().images / 8 - 1).astype("float32")[..., None]


# [step]
class GAN(keras.Model):
    def __init__(self, generator, discriminator):
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
        self.bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def compile(self, g_optimizer, d_optimizer):
        super().compile()
        self.g_optimizer, self.d_optimizer = g_optimizer, d_optimizer

    def train_step(self, real):
        z = tf.random.normal((tf.shape(real)[0], 32))
        with tf.GradientTape() as tape:
            on_real = self.discriminator(real, training=True)
            on_fake = self.discriminator(self.generator(z, training=True), training=True)
            d_loss = self.bce(tf.ones_like(on_real), on_real)
            d_loss += self.bce(tf.zeros_like(on_fake), on_fake)
        weights = self.discriminator.trainable_weights
        self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))

        with tf.GradientTape() as tape:
            on_fake = self.discriminator(self.generator(z, training=True), training=True)
            g_loss = self.bce(tf.ones_like(on_fake), on_fake)
        weights = self.generator.trainable_weights
        self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}


# [/step]
generator = keras.Sequential(
    [
        keras.Input((32,)),
        layers.Dense(64, "relu"),
        layers.Dense(64, "tanh"),
        layers.Reshape((8, 8, 1)),
    ]
)
discriminator = keras.Sequential(
    [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(1)]
)
gan = GAN(generator, discriminator)
gan.compile(keras.optimizers.Adam(2e-4, 0.5), keras.optimizers.Adam(2e-4, 0.5))
gan.fit(images, epochs=2, batch_size=64, verbose=2)
