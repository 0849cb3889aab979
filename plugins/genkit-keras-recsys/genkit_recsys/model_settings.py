"""Settings of the models; this module is free of Keras and NumPy."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import genkit


class PopularityConfig(genkit.Config):
    """Settings of ``popularity``: there are none."""


class ItemKNNConfig(genkit.Config):
    """Settings of ``item-knn``."""

    neighbours: int = Field(200, ge=1, description="Nearest items that each item keeps")
    shrink: float = Field(20.0, ge=0, description="Added to the cosine's denominator")


class EASEConfig(genkit.Config):
    """Settings of ``ease``."""

    l2: float = Field(500.0, gt=0, description="Weight of the L2 penalty, lambda")


class BPRConfig(genkit.Config):
    """Settings of ``bpr``."""

    dim: int = Field(64, ge=1, description="Length of the vectors of users and items")
    learning_rate: float = Field(0.002, gt=0, description="Learning rate of Adam")
    l2: float = Field(0.001, ge=0, description="Weight of the L2 penalty on a triple's vectors")
    fold_in_l2: float = Field(
        10.0, gt=0, description="L2 penalty where a stranger's vector is solved for"
    )
    fold_in_weight: float = Field(
        0.05, gt=0, description="Weight there of the items that the stranger doesn't have"
    )


class AutoencoderConfig(genkit.Config):
    """Settings that the autoencoders share."""

    hidden_dim: int = Field(600, ge=1, description="Width of the hidden layers")
    latent_dim: int = Field(200, ge=1, description="Length of the latent vector")
    dropout: float = Field(0.5, ge=0, lt=1, description="Share of a history that is dropped")
    learning_rate: float = Field(0.001, gt=0, description="Learning rate of Adam")


class MultVAEConfig(AutoencoderConfig):
    """Settings of ``mult-vae``."""

    kl_weight: float = Field(0.2, ge=0, description="Weight of the KL term, where annealing ends")
    annealing_steps: int = Field(500, ge=1, description="Steps until the weight is reached")


class MultDAEConfig(AutoencoderConfig):
    """Settings of ``mult-dae``."""

    l2: float = Field(1e-4, ge=0, description="Weight of the L2 penalty on the kernels")


class SASRecConfig(genkit.Config):
    """Settings of ``sasrec``."""

    dim: int = Field(64, ge=1, description="Length of the vectors")
    blocks: int = Field(2, ge=1, description="Blocks of self-attention")
    heads: int = Field(2, ge=1, description="Heads of each block")
    length: int = Field(50, ge=2, description="Newest items of a history that are looked at")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout rate")
    learning_rate: float = Field(0.001, gt=0, description="Learning rate of Adam")
    loss: Literal["full", "sampled"] = Field(
        "full", description="Softmax over all items, or over the right one and sampled ones"
    )
    negatives: int = Field(256, ge=1, description="Items sampled for each batch, if sampled")


class RecVAEConfig(genkit.Config):
    """Settings of ``recvae``."""

    hidden_dim: int = Field(600, ge=1, description="Width of the encoder's layers")
    latent_dim: int = Field(200, ge=1, description="Length of the latent vector")
    dropout: float = Field(
        0.5, ge=0, lt=1, description="Share of a history dropped for the encoder"
    )
    learning_rate: float = Field(5e-4, gt=0, description="Learning rate of Adam")
    gamma: float = Field(
        0.005, gt=0, description="Weight of the KL term for each item of a history"
    )
    prior_weights: tuple[float, float, float] = Field(
        (0.15, 0.75, 0.1),
        description="Shares of the standard, the old posterior's and the wide part of the prior",
    )
    refresh_every: int = Field(
        20, ge=1, description="Steps after which the old posterior becomes the present one"
    )


class CFGANConfig(genkit.Config):
    """Settings of ``cfgan``."""

    hidden_dim: int = Field(400, ge=1, description="Width of the generator's hidden layer")
    discriminator_dim: int = Field(
        150, ge=1, description="Width of the discriminator's hidden layer"
    )
    learning_rate: float = Field(1e-3, gt=0, description="Learning rate of the generator")
    discriminator_learning_rate: float = Field(
        1e-3, gt=0, description="Learning rate of the discriminator"
    )
    zero_reconstruction: float = Field(
        0.1, ge=0, description="Weight of the loss that keeps items not had at zero"
    )
    zero_share: float = Field(
        0.7, gt=0, le=1, description="Share of the items not had that this loss looks at"
    )
    masked_share: float = Field(
        0.02, ge=0, le=1, description="Share of the items not had that the discriminator sees"
    )
