"""Settings and options; this module is free of Keras, so that help and errors stay fast."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

import genkit

Split = Annotated[
    Literal["train", "test"], Field(description="Which points: for training, or held out")
]
Hidden = Annotated[int, Field(ge=1, le=4096, description="Units of each hidden layer")]
Conditional = Annotated[bool, Field(description="Learn from labels, and generate by label")]
LearningRate = Annotated[float, Field(gt=0, description="Adam's step size")]


class PointsConfig(genkit.Config):
    """Settings of ``points``."""

    density: Literal["moons", "rings", "spirals", "grid", "ring", "checkerboard", "pinwheel"] = (
        Field("ring", description="What the points are drawn from; ring is of 8 normal densities")
    )
    n: int = Field(10_000, ge=1, le=10_000_000, description="How many points each split has")
    split: Split = "train"
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of the points")


class PointsCsvConfig(genkit.Config):
    """Settings of ``points-csv``."""

    path: genkit.AbsolutePath = Field(
        description="The CSV file, as it is or packed as .gz, .bz2, .xz or .zip; its first line "
        "names the columns"
    )
    x: str = Field("x", description="Column of the first coordinate")
    y: str = Field("y", description="Column of the second coordinate")
    label: str | None = Field(None, description="Column of the label; none when left out")
    delimiter: str = Field(
        "",
        description="What parts the cells: a character, tab or space; by default commas, or what "
        "the first line says",
    )
    encoding: str = Field(
        "", description="Encoding of the text, such as latin-1; by default UTF-8, or UTF-16"
    )
    split: Split = "train"
    held_out: float = Field(
        0.2, ge=0, lt=1, description="Share of the rows that is held out, chosen at random"
    )


class PointsGANConfig(genkit.Config):
    """Settings of ``points-gan``."""

    latent_dim: int = Field(2, ge=1, le=4096, description="Length of the noise vector")
    hidden: Hidden = 128
    conditional: Conditional = False
    loss: Literal["minimax", "non-saturating", "least-squares", "hinge", "wasserstein"] = Field(
        "non-saturating", description="What the two networks minimise"
    )
    gradient_penalty: float = Field(
        0.0, ge=0, description="Weight of the penalty on slopes other than 1, between the data"
    )
    r1: float = Field(0.02, ge=0, description="Weight of the penalty on slopes at real points")
    r2: float = Field(0.02, ge=0, description="Weight of the penalty on slopes at generated points")
    critic_steps: int = Field(
        1, ge=1, le=100, description="Updates of the discriminator to one of the generator"
    )
    learning_rate: LearningRate = 2e-3


class PointsVAEConfig(genkit.Config):
    """Settings of ``points-vae``."""

    latent_dim: int = Field(2, ge=1, le=4096, description="Length of the latent vector")
    hidden: Hidden = 128
    conditional: Conditional = False
    least_scale: float = Field(
        0.01,
        gt=0,
        description="Least standard deviation of points around the decoder's output, in the range "
        "-1 to 1",
    )
    kl_weight: float = Field(1.0, ge=0, description="Weight of the KL term; 1 is the bound itself")
    kl_warmup_steps: int = Field(
        500, ge=0, description="Steps over which the KL weight rises from 0 to its value"
    )
    learning_rate: LearningRate = 2e-3


class PointsFlowConfig(genkit.Config):
    """Settings of ``points-flow``."""

    hidden: Hidden = 128
    conditional: Conditional = False
    solver_steps: int = Field(
        16, ge=1, le=1000, description="Runge-Kutta steps between noise and points"
    )
    average: float = Field(0.995, ge=0, lt=1, description="Decay of the averaged weights")
    learning_rate: LearningRate = 4e-3


class FlowOptions(genkit.Config):
    """Flags of ``genkit generate`` and ``genkit density`` for ``points-flow``."""

    solver_steps: int | None = Field(
        None, ge=1, le=1000, description="Runge-Kutta steps, instead of the setting of that name"
    )
