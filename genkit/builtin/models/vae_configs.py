"""The settings of the autoencoders; this module is free of Keras."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genkit.builtin.models.average_settings import AverageWindow
from genkit.builtin.models.flow_configs import Conditional, Guidance, LabelDropout, SamplingSteps
from genkit.plugins.config import Config

KLWeight = Annotated[float, Field(ge=0, description="Weight of the KL term; 1 is the bound itself")]


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
    kl_weight: KLWeight = 1.0
    kl_warmup_steps: int = Field(
        0, ge=0, description="Steps over which the KL weight rises from 0 to its value"
    )
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size")
    average_window: AverageWindow = 0.0
    prior: Literal["normal", "flow"] = Field(
        "normal", description="What generation draws latents from; a flow learns the encoder's"
    )
    prior_width: int = Field(160, ge=8, le=4096, description="Channels of the flow")
    prior_layers: int = Field(3, ge=1, le=64, description="Residual blocks of the flow")
    prior_draws: int = Field(
        4, ge=1, le=64, description="Draws of noise that the flow learns from, a latent and step"
    )
    prior_learning_rate: float = Field(2e-3, gt=0, description="Adam's step size for the flow")
    sampling_steps: SamplingSteps = 50


class BetaVAEConfig(VAEConfig):
    """Settings of ``beta-vae``: those of ``vae`` with a heavier KL term, the paper's beta."""

    kl_weight: KLWeight = 4.0


class LatentFlowConfig(VAEConfig):
    """Settings of ``latent-flow``: those of ``vae`` for its prior to be a flow, and of labels."""

    latent_dim: int = Field(24, ge=1, le=4096, description="Length of the latent vector")
    kl_weight: KLWeight = 0.25
    prior: Literal["normal", "flow"] = Field(
        "flow", description="What generation draws latents from; a flow learns the encoder's"
    )
    conditional: Conditional = None
    label_dropout: LabelDropout = 0.1
    guidance: Guidance = 1.0
