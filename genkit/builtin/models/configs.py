"""The settings of the built-in models; this module is free of Keras."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from genkit.config import Config


class DCGANConfig(Config):
    """Settings of ``dcgan``; the defaults are the published ones."""

    latent_dim: int = Field(100, ge=1, le=4096, description="Length of the noise vector")
    width: int = Field(
        64, ge=1, le=1024, description="Channels at full size; deeper layers have 2 and 4 times it"
    )
    dropout: float = Field(0.3, ge=0, lt=1, description="Dropout rate in the discriminator")
    leaky_slope: float = Field(0.2, ge=0, lt=1, description="Slope of LeakyReLU below zero")
    learning_rate: float = Field(2e-4, gt=0, description="Adam's step size, both networks")
    beta_1: float = Field(0.5, ge=0, lt=1, description="Adam's first decay rate, both networks")


class VAEConfig(Config):
    """Settings of ``vae``."""

    latent_dim: int = Field(16, ge=1, le=4096, description="Length of the latent vector")
    width: int = Field(
        32, ge=1, le=1024, description="Channels of the first convolution; the second has twice it"
    )
    hidden: int = Field(128, ge=1, le=8192, description="Units between convolutions and latents")
    likelihood: Literal["bernoulli", "gaussian"] = Field(
        "bernoulli", description="How pixels are distributed around the decoder's output"
    )
    gaussian_scale: float = Field(
        0.1, gt=0, description="Standard deviation of the gaussian likelihood, for pixels in [0, 1]"
    )
    kl_weight: float = Field(1.0, ge=0, description="Weight of the KL term; 1 is the bound itself")
    kl_warmup_steps: int = Field(
        0, ge=0, description="Steps over which the KL weight rises from 0 to its value"
    )
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size")
