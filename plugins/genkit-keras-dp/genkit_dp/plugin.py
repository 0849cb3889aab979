"""What the plugin brings."""

from __future__ import annotations

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_trainers() -> Iterable[genkit.TrainerSpec]:
    """Register the trainer ``dp``."""
    yield genkit.TrainerSpec(
        name="dp",
        summary="Differential privacy: each example's gradient clipped, Gaussian noise added",
        trainer="genkit_dp.trainer:PrivateTrainer",
        config="genkit_dp.config:PrivacyConfig",
        tiny={"secret": 1},
    )
