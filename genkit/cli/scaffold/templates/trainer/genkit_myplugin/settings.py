"""The settings; free of Keras, so that ``genkit info`` and mistakes are told at once."""

import genkit
from pydantic import Field


class AdaptiveClippingConfig(genkit.Config):
    """Settings of the trainer: each is given with ``--trainer-set NAME=VALUE``."""

    share: float = Field(0.05, gt=0, description="Longest gradient, as a share of its weights")
    least: float = Field(1e-3, gt=0, description="Length that weights are taken to have at least")
