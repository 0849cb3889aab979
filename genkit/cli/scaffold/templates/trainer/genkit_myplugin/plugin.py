"""What the entry point names. Every genkit command imports it, so it imports nothing heavy."""

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_trainers() -> Iterable[genkit.TrainerSpec]:
    """Register the trainer."""
    yield genkit.TrainerSpec(
        name="myplugin",
        summary="Gradients no longer than a share of the weights that they change",
        trainer="genkit_myplugin.trainer:AdaptiveClipping",
        config="genkit_myplugin.settings:AdaptiveClippingConfig",
    )
