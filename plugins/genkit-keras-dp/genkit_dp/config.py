"""The trainer's settings; this module is free of Keras."""

from __future__ import annotations

from pydantic import Field

import genkit


class PrivacyConfig(genkit.Config):
    """Settings of ``dp``."""

    noise_multiplier: float = Field(
        1.1, gt=0, description="Noise's standard deviation, as a multiple of clip_norm"
    )
    clip_norm: float = Field(
        1.0, gt=0, description="Largest L2 norm of one example's gradient; longer ones are scaled"
    )
    delta: float | None = Field(
        None, gt=0, lt=1, description="Delta of the guarantee; 1 / (10 items) when left out"
    )
    max_epsilon: float = Field(
        10.0, gt=0, description="Budget: training ends at the last step within it"
    )
    secret: int | None = Field(
        None,
        ge=0,
        lt=2**63,
        description="For tests only: who knows the key can take the noise out again",
    )
