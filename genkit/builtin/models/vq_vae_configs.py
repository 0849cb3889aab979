"""The settings of the vector-quantised autoencoder; this module is free of Keras."""

from __future__ import annotations

from pydantic import Field

from genkit.plugins.config import Config


class VQVAEConfig(Config):
    """Settings of ``vq-vae``."""

    latent_dim: int = Field(16, ge=1, le=4096, description="Length of a vector of the codebook")
    codebook_size: int = Field(128, ge=2, le=65536, description="Vectors in the codebook")
    width: int = Field(
        32, ge=1, le=1024, description="Channels at half the image's size; below there are twice"
    )
    residual_blocks: int = Field(
        2, ge=0, le=64, description="Residual blocks of the encoder, and of the decoder"
    )
    commitment_weight: float = Field(
        0.25, ge=0, description="Weight of the commitment loss, the paper's beta"
    )
    data_variance: float = Field(
        0.095,
        gt=0,
        description="Variance of pixels in [0, 1], by which squared errors are divided; MNIST's",
    )
    decay: float = Field(
        0.95,
        ge=0,
        lt=1,
        description="Share of the codebook's averages that a step keeps; the paper has 0.99",
    )
    revival_threshold: float = Field(
        1.0,
        ge=0,
        description="Average uses a step below which a code is moved to another place; 0: never",
    )
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size for the autoencoder")
    prior_width: int = Field(
        64,
        ge=32,
        le=4096,
        multiple_of=32,
        description="Channels of the prior; 32 an attention head",
    )
    prior_layers: int = Field(3, ge=1, le=64, description="Transformer blocks of the prior")
    prior_learning_rate: float = Field(3e-3, gt=0, description="Adam's step size for the prior")
