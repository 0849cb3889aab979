"""Wasserstein GAN with gradient penalty (Gulrajani et al. 2017)."""

from __future__ import annotations

from genkit.builtin.models.dcgan import DCGAN


class WGANGP(DCGAN):
    """A ``DCGAN`` whose discriminator, a critic, estimates a distance instead of a probability.

    Gulrajani et al. 2017, "Improved Training of Wasserstein GANs", algorithm 1: the critic's loss

        mean D(G(z)) - mean D(x) + 10 mean (||grad D(between)|| - 1)^2

    falls with the Wasserstein distance that it estimates, so unlike other GANs' it can be watched.
    Five updates of the critic, each on a batch of its own, go before one of the generator.

    Args:
        config: see ``genkit info wgan-gp``.
        schema: data with an image field whose height and width are multiples of 4.
    """
