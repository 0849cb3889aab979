"""GAN with an auxiliary classifier (Odena et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import keras
from keras import layers, ops

from genkit.builtin.models.cgan import build_conditional_generator
from genkit.builtin.models.configured_gan import ConfiguredGAN, normalised
from genkit.builtin.models.dcgan import build_features, initial
from genkit.builtin.models.images import image_shape
from genkit.builtin.models.labels import class_count

if TYPE_CHECKING:
    from genkit.builtin.models.gan_configs import ACGANConfig
    from genkit.plugins.specs import Schema


class ACGAN(ConfiguredGAN):
    """A GAN whose discriminator also names the class, and whose generator wants to be named right.

    Odena et al. 2017, "Conditional Image Synthesis with Auxiliary Classifier GANs", equations 2 and
    3: with the probability ``C(y | x)`` that the discriminator gives the right class, both networks
    minimise ``-log C`` besides their adversarial loss: the discriminator of real and of generated
    images, the generator of its own.

    Args:
        config: see ``genkit info acgan``.
        schema: data with labels and an image field whose height and width are multiples of 4.
    """

    config: ACGANConfig

    def __init__(self, config: ACGANConfig, schema: Schema) -> None:
        shape = image_shape(schema, type(self).__name__, multiple_of=4)
        classes = class_count(schema, type(self).__name__)
        generator = build_conditional_generator(shape, config, classes)
        super().__init__(generator, _discriminator(shape, config, classes), config, schema)

    def score(self, items: Any, batch: dict[str, Any]) -> Any:
        return super().score(items, batch)[0]

    def discriminator_loss(self, batch: dict[str, Any]) -> Any:
        real, fake = self._real(batch), self._fake(batch)
        real_scores, real_classes = self.discriminator(real, training=True)
        fake_scores, fake_classes = self.discriminator(fake, training=True)
        wrong = self._naming_loss(real_classes, batch) + self._naming_loss(fake_classes, batch)
        loss = self.adversarial.discriminator(real_scores, fake_scores)
        return loss + wrong + self._penalties(real, fake, batch)

    def generator_loss(self, batch: dict[str, Any]) -> Any:
        scores, classes = self.discriminator(self._fake(batch), training=True)
        return self._passing(scores, batch) + self._naming_loss(classes, batch)

    def _naming_loss(self, logits: Any, batch: dict[str, Any]) -> Any:
        losses = ops.sparse_categorical_crossentropy(
            self._label(batch), ops.cast(logits, "float32"), from_logits=True
        )
        return self.config.class_weight * ops.mean(losses)


def _discriminator(shape: tuple[int, int, int], config: ACGANConfig, classes: int) -> Any:
    """Build images to ``(scores, class logits)``: ``(batch, 1)`` and ``(batch, classes)``."""

    def head(units: int) -> Any:
        return normalised(
            layers.Dense(units, kernel_initializer=initial(), dtype="float32"), config
        )

    image = keras.Input(shape)
    features = keras.Sequential([keras.Input(shape), *build_features(config)])(image)
    outputs = [head(1)(features), head(classes)(features)]
    return keras.Model(image, outputs, name="discriminator")
