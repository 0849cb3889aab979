"""The settings; this module is free of Keras, so that `genkit info` stays fast."""

from pydantic import Field

import genkit


class RingsConfig(genkit.Config):
    """Settings of `rings`."""

    points: int = Field(10_000, ge=1, description="How many points")
    rings: int = Field(2, ge=1, le=20, description="How many rings")
    spread: float = Field(0.05, ge=0, description="Standard deviation of the radius")
    seed: int = Field(0, ge=0, description="Seed of the points")


class RingsGANConfig(genkit.Config):
    """Settings of `rings-gan`."""

    latent_dim: int = Field(8, ge=1, description="Length of the noise vector")
    width: int = Field(64, ge=1, description="Units of a hidden layer")
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size, both networks")
