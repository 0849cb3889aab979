"""What the entry point names. Every genkit command imports it, so it imports nothing heavy."""

from collections.abc import Iterable

import genkit


@genkit.hookimpl
def genkit_metrics() -> Iterable[genkit.MetricSpec]:
    """Register the metric."""
    yield genkit.MetricSpec(
        name="myplugin",
        summary="Difference in mean brightness between generated and real images",
        metric="genkit_myplugin.metric:BrightnessGap",
        direction="min",
        modality="image",
        known="genkit_myplugin.known:known_answers",
    )
