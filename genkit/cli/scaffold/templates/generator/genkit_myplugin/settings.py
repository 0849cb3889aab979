"""The settings; free of Keras, so that ``genkit info`` and mistakes are told at once."""

import genkit
from pydantic import Field


class DenseGANConfig(genkit.Config):
    """Settings of the model: each is given with ``--set NAME=VALUE``."""

    latent_dim: int = Field(16, ge=1, description="Length of the noise vector")
    width: int = Field(128, ge=1, description="Units of a hidden layer")
    learning_rate: float = Field(5e-4, gt=0, description="Adam's step size, both networks")
