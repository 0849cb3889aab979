"""Conditional GAN: images of a class that is asked for (Mirza and Osindero 2014)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers

from genkit.builtin.models.configured_gan import ConfiguredGAN, normalised
from genkit.builtin.models.dcgan import (
    build_discriminator,
    build_features,
    build_generator,
    initial,
)
from genkit.builtin.models.images import image_shape
from genkit.builtin.models.labels import beside_image, beside_vector, class_count

if TYPE_CHECKING:
    from genkit.builtin.models.gan_configs import CGANConfig, DCGANConfig
    from genkit.plugins.specs import Schema


class CGAN(ConfiguredGAN):
    """A GAN whose two networks see the label: ``G(z, y)`` and ``D(x, y)``.

    Mirza and Osindero 2014, "Conditional Generative Adversarial Nets", equation 2, on the networks
    of ``dcgan``. The generator gets an embedding of the label beside the noise. The discriminator
    takes it as the setting ``condition`` says:

    - ``concatenation``: a plane learned for each class, as one more channel of the image;
    - ``projection``: ``D(x, y) = w . f(x) + v_y . f(x)`` with its last features ``f(x)`` and a
      vector ``v_y`` learned for each class (Miyato and Koyama 2018, "cGANs with Projection
      Discriminator", equation 3).

    Args:
        config: see ``genkit info cgan``.
        schema: data with labels and an image field whose height and width are multiples of 4.
    """

    def __init__(self, config: CGANConfig, schema: Schema) -> None:
        shape = image_shape(schema, type(self).__name__, multiple_of=4)
        classes = class_count(schema, type(self).__name__)
        super().__init__(
            build_conditional_generator(shape, config, classes),
            _projection(shape, config, classes)
            if config.condition == "projection"
            else beside_image(lambda wider: build_discriminator(wider, config), shape, classes),
            config,
            schema,
        )


def build_conditional_generator(
    shape: tuple[int, int, int], config: DCGANConfig, classes: int
) -> Any:
    """Build ``dcgan``'s generator for noise ``(batch, latent_dim)`` and labels ``(batch,)``."""
    return beside_vector(
        lambda length: build_generator(shape, config, length), config.latent_dim, classes
    )


def _projection(shape: tuple[int, int, int], config: CGANConfig, classes: int) -> Any:
    image, label = keras.Input(shape), keras.Input((), dtype="int32")
    features = keras.Sequential([keras.Input(shape), *build_features(config)])(image)
    head = normalised(layers.Dense(1, kernel_initializer=initial(), dtype="float32"), config)
    direction = layers.Embedding(classes, features.shape[-1], embeddings_initializer=initial())
    agreement = layers.Dot(axes=1, dtype="float32")([direction(label), features])
    score = layers.Add(dtype="float32")([head(features), agreement])
    return keras.Model([image, label], score, name="discriminator")
