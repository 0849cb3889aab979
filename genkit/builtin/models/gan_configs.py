"""The settings of the GANs; this module is free of Keras."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from genkit.builtin.models.average_settings import AverageWindow
from genkit.plugins.config import Config

Loss = Annotated[
    Literal["minimax", "non-saturating", "least-squares", "hinge", "wasserstein", "relativistic"],
    Field(description="What the two networks minimise"),
]
GradientPenalty = Annotated[
    float, Field(ge=0, description="Weight of the penalty on slopes other than 1, between the data")
]
SpectralNorm = Annotated[
    bool, Field(description="Spectral normalisation of the discriminator's layers")
]
CriticSteps = Annotated[
    int, Field(ge=1, le=100, description="Updates of the discriminator to one of the generator")
]
LearningRate = Annotated[float, Field(gt=0, description="Adam's step size, both networks")]
Beta1 = Annotated[float, Field(ge=0, lt=1, description="Adam's first decay rate, both networks")]
Beta2 = Annotated[float, Field(ge=0, lt=1, description="Adam's second decay rate, both networks")]
Augment = Annotated[
    tuple[Literal["color", "translation", "cutout"], ...],
    BeforeValidator(lambda value: tuple(value.split()) if isinstance(value, str) else value),
]
Dropout = Annotated[float, Field(ge=0, lt=1, description="Dropout rate in the discriminator")]


class GANConfig(Config):
    """What every GAN of the family can be set to: its loss, its penalties, its updates."""

    latent_dim: int = Field(100, ge=1, le=4096, description="Length of the noise vector")
    loss: Loss = "non-saturating"
    gradient_penalty: GradientPenalty = 0.0
    r1: float = Field(0.0, ge=0, description="Weight of the penalty on slopes at real items")
    r2: float = Field(0.0, ge=0, description="Weight of the penalty on slopes at generated items")
    penalty_interval: int = Field(
        1,
        ge=1,
        le=1000,
        description="Steps from one update by the penalties to the next, their weights times it; "
        "1: they are part of each step's loss",
    )
    spectral_norm: SpectralNorm = False
    critic_steps: CriticSteps = 1
    augment: Augment = Field(
        (),
        description="What is changed at random in the images the discriminator sees: color, "
        "translation, cutout, separated by spaces; for little data",
    )
    generator_average: float = Field(
        0.0, ge=0, lt=1, description="Decay of the generator's averaged weights; 0 keeps none"
    )
    generator_average_window: AverageWindow = 0.0
    generator_average_images: float = Field(
        0.0,
        ge=0,
        description="Half-life of the generator's averages in images of training, instead of a "
        "decay or a window, and at most a twentieth of the images so far; running statistics are "
        "averaged, too; 0 is none",
    )
    leaky_slope: float = Field(0.2, ge=0, lt=1, description="Slope of LeakyReLU below zero")
    dropout: Dropout = 0.3
    learning_rate: LearningRate = 2e-4
    discriminator_learning_rate: float | None = Field(
        None, gt=0, description="Adam's step size of the discriminator, if it has one of its own"
    )
    beta_1: Beta1 = 0.5
    beta_2: Beta2 = 0.999


class DenseGANConfig(GANConfig):
    """Settings of ``gan``."""

    hidden: int = Field(256, ge=1, le=8192, description="Units of the first hidden layer")


class DCGANConfig(GANConfig):
    """Settings of ``dcgan``; the defaults are the published ones."""

    width: int = Field(
        64, ge=1, le=1024, description="Channels at full size; deeper layers have 2 and 4 times it"
    )
    discriminator_hidden: int = Field(
        0,
        ge=0,
        le=8192,
        description="Units of a dense layer that lets the discriminator see the whole image; 0: "
        "none, it adds up what it sees in parts of about 10 pixels",
    )
    discriminator_batch_norm: bool = Field(
        False,
        description="Batch normalisation in the discriminator too, as in the paper, after all of "
        "its layers but the first",
    )


class LSGANConfig(DCGANConfig):
    """Settings of ``lsgan``: those of ``dcgan`` with another loss."""

    loss: Loss = "least-squares"


class SNGANConfig(DCGANConfig):
    """Settings of ``sngan``; the defaults are setting C of the paper's table 1, with its loss."""

    loss: Loss = "hinge"
    spectral_norm: SpectralNorm = True
    dropout: Dropout = 0.0


class WGANGPConfig(DCGANConfig):
    """Settings of ``wgan-gp``; the defaults are those of the paper's algorithm 1."""

    loss: Loss = "wasserstein"
    gradient_penalty: GradientPenalty = 10.0
    critic_steps: CriticSteps = 5
    dropout: Dropout = 0.0
    learning_rate: LearningRate = 1e-4
    beta_1: Beta1 = 0.0
    beta_2: Beta2 = 0.9


class CGANConfig(DCGANConfig):
    """Settings of ``cgan``."""

    condition: Literal["concatenation", "projection"] = Field(
        "projection", description="How the discriminator takes the label"
    )


class ACGANConfig(DCGANConfig):
    """Settings of ``acgan``."""

    class_weight: float = Field(
        1.0, ge=0, description="Weight of naming the class against telling real from generated"
    )
