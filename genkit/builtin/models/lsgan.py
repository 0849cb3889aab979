"""Least-squares GAN (Mao et al. 2017)."""

from __future__ import annotations

from genkit.builtin.models.dcgan import DCGAN


class LSGAN(DCGAN):
    """A ``DCGAN`` whose discriminator regresses to 1 for real and 0 for generated images.

    Mao et al. 2017, "Least Squares Generative Adversarial Networks", equation 9, a = 0, b = c = 1:

        loss_D = mean (D(x) - 1)^2 / 2 + mean D(G(z))^2 / 2
        loss_G = mean (D(G(z)) - 1)^2 / 2

    Generated images that pass, but lie far from the boundary, still pull the generator on.

    Args:
        config: see ``genkit info lsgan``.
        schema: data with an image field whose height and width are multiples of 4.
    """
