"""Settings and options; this module is free of Keras, so that help and errors stay fast."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

import genkit


class StyleGAN2Config(genkit.Config):
    """Settings of ``stylegan2``."""

    latent_dim: int = Field(64, ge=1, le=4096, description="Length of the noise and of a style")
    mapping_layers: int = Field(2, ge=1, le=16, description="Layers from noise to style")
    base: int = Field(
        512,
        ge=16,
        le=2**20,
        description="Channels times side of the networks: narrower where pictures are larger",
    )
    most: int = Field(64, ge=4, le=4096, description="Channels at most, where pictures are small")
    conditional: bool | None = Field(
        None, description="Learn from labels, and generate by label; by default where there are any"
    )
    noise_inputs: bool = Field(
        False, description="Noise on the way, a number a pixel, for detail that is by chance"
    )
    mixing: float = Field(
        0.0, ge=0, le=1, description="Share of pictures that get two styles in training"
    )
    loss: Literal["non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"] = (
        Field("non-saturating", description="What the two networks minimise")
    )
    r1: float = Field(
        0.05, ge=0, description="Weight of the penalty on slopes at real pictures, gamma"
    )
    r1_interval: int = Field(16, ge=1, le=1000, description="Steps between those penalties")
    path_length: float = Field(
        0.0, ge=0, description="Weight of the penalty on uneven path lengths; 2 in the paper"
    )
    path_length_interval: int = Field(4, ge=1, le=1000, description="Steps between those penalties")
    generator_average_images: float = Field(
        10_000,
        ge=0,
        description="Pictures after which a weight counts half in the averaged generator, at most "
        "a twentieth of those so far; 0 keeps none",
    )
    augment_target: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Adaptive augmentation for little data: the mean sign of scores of real "
        "pictures it holds; 0.6 in the paper, 0 for none",
    )
    augment_images: float = Field(
        100_000, gt=0, description="Pictures in which the augmentation's probability may rise by 1"
    )
    frozen: int = Field(
        0,
        ge=0,
        le=9,
        description="Blocks of the discriminator next to the picture that don't learn; for --init",
    )
    learning_rate: float = Field(2.5e-3, gt=0, description="Adam's step size, both networks")


class PictureOptions(genkit.Config):
    """Flags of ``genkit generate`` for ``stylegan2``."""

    truncation_psi: float = Field(
        1.0,
        ge=-2,
        le=2,
        description="How far styles are from their mean: less is plainer and less varied",
    )
    latent: genkit.AbsolutePath | None = Field(
        None, description="A style from genkit project, instead of one by chance"
    )
    direction: int | None = Field(
        None,
        ge=1,
        le=4096,
        description="Move styles along this direction, of those genkit styles draws, from 1 on",
    )
    strength: float = Field(3.0, description="How far to move along --direction")
