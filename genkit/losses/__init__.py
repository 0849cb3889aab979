"""Losses that generative models share. Each takes and returns tensors and names its source.

All are computed in float32, whatever the networks compute in.
"""

from genkit.losses.adversarial import (
    ADVERSARIAL_LOSSES,
    AdversarialLoss,
    discriminator_non_saturating,
    generator_non_saturating,
)
from genkit.losses.penalties import gradient_penalty, zero_centred_penalty
from genkit.losses.variational import bernoulli_nll, gaussian_nll, kl_to_standard_normal

__all__ = [
    "ADVERSARIAL_LOSSES",
    "AdversarialLoss",
    "bernoulli_nll",
    "discriminator_non_saturating",
    "gaussian_nll",
    "generator_non_saturating",
    "gradient_penalty",
    "kl_to_standard_normal",
    "zero_centred_penalty",
]
