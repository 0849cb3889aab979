"""Conditional variational autoencoder (Sohn et al. 2015)."""

from __future__ import annotations

from typing import Any

from genkit.builtin.models.labels import beside_image, beside_vector, class_count
from genkit.builtin.models.vae import VAE, build_decoder, build_encoder


class CVAE(VAE):
    """A ``VAE`` of images given their label: ``q(z | x, y)`` and ``p(x | z, y)``.

    Sohn et al. 2015, "Learning Structured Output Representation using Deep Conditional Generative
    Models", equation 4, with a prior that doesn't depend on the label. The encoder takes the label
    as one more channel, the decoder as an embedding beside the latent, which is therefore free to
    hold everything else: style, slant, weight.

    Args:
        config: see ``genkit info cvae``.
        schema: data with labels and an image field whose height and width are multiples of 4.
    """

    conditional = True

    def encoder_for(self, shape: tuple[int, int, int]) -> Any:
        classes = class_count(self.schema, type(self).__name__)
        return beside_image(lambda wider: build_encoder(wider, self.config), shape, classes)

    def decoder_for(self, shape: tuple[int, int, int]) -> Any:
        classes = class_count(self.schema, type(self).__name__)
        return beside_vector(
            lambda length: build_decoder(shape, self.config, length),
            self.config.latent_dim,
            classes,
        )
