"""GAN with spectral normalisation (Miyato et al. 2018)."""

from __future__ import annotations

from genkit.builtin.models.dcgan import DCGAN


class SNGAN(DCGAN):
    """A ``DCGAN`` whose discriminator can't be steep: each of its layers stretches by at most 1.

    Miyato et al. 2018, "Spectral Normalization for Generative Adversarial Networks", with the hinge
    loss of equations 16 and 17:

        loss_D = mean max(0, 1 - D(x)) + mean max(0, 1 + D(G(z)))
        loss_G = -mean D(G(z))

    Args:
        config: see ``genkit info sngan``.
        schema: data with an image field whose height and width are multiples of 4.
    """
