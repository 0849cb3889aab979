"""The settings of the models that denoise; this module is free of Keras."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from genkit.builtin.models.average_settings import AverageWindow
from genkit.plugins.config import Config

SamplingSteps = Annotated[
    int, Field(ge=1, le=1000, description="Steps from noise to an image in generation")
]
Conditional = Annotated[
    bool | None,
    Field(description="Learn from labels, and generate by label; None: where the data has any"),
]
LabelDropout = Annotated[
    float, Field(ge=0, le=1, description="Share of labels hidden in training, for guidance")
]
Guidance = Annotated[
    float,
    Field(ge=0, description="How far labels push; 1 is the model itself, more is more typical"),
]


class DenoiserConfig(Config):
    """What the models that denoise share: the network, labels, averages."""

    width: int = Field(
        64, ge=8, le=1024, multiple_of=8, description="Channels; twice as many at half the size"
    )
    blocks: int = Field(2, ge=1, le=8, description="Residual blocks at each size")
    patch: int = Field(
        2, ge=1, le=8, description="Pixels each way that the network takes as one place"
    )
    conditional: Conditional = None
    label_dropout: LabelDropout = 0.1
    guidance: Guidance = 1.0
    sampling_steps: SamplingSteps = 50
    average: float = Field(0.995, ge=0, lt=1, description="Decay of the averaged weights")
    average_window: AverageWindow = 0.0
    learning_rate: float = Field(1e-3, gt=0, description="Adam's step size")


class SamplingOptions(Config):
    """What ``generate`` takes beside ``n``, ``seed`` and ``label``; by default the settings'."""

    guidance: float | None = Field(
        None, ge=0, description="How far labels push, instead of the setting of that name"
    )
    sampling_steps: int | None = Field(
        None,
        ge=1,
        le=1000,
        description="Steps from noise to an image, instead of the setting of that name",
    )


class FlowMatchingConfig(DenoiserConfig):
    """Settings of ``flow-matching``."""

    sampling_steps: SamplingSteps = 25


class DDPMConfig(DenoiserConfig):
    """Settings of ``ddpm``."""

    noise_steps: int = Field(1000, ge=2, le=10_000, description="Steps of the noising process")
    noise_schedule: Literal["linear", "cosine"] = Field(
        "cosine", description="How the noise grows over them"
    )
    answer: Literal["noise", "velocity"] = Field(
        "noise", description="What the network tells; with velocity it learns faster"
    )
