"""The learner of images: a small convolutional classifier, and a folder of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from genkit.report.grids import can_draw
from genkit.workflows.augmentation import classifier
from genkit.workflows.augmentation.learner import Learner, Part
from genkit.workflows.augmentation.mixed import write_mixed
from genkit.workflows.augmentation.robustness import CORRUPTIONS, DESCRIPTIONS

if TYPE_CHECKING:
    from genkit.data import Source
    from genkit.plugins.specs import Schema


class ImageLearner(Learner):
    """Names the class of images of 1 or 3 channels."""

    corruptions: ClassVar = DESCRIPTIONS

    @classmethod
    def unfit(cls, schema: Schema) -> str:
        if any(can_draw(field) for field in schema.fields.values()):
            return ""
        return "Expected images of 1 or 3 channels with a range, which a picture file can hold."

    def train(
        self,
        source: Source,
        classical: Sequence[str],
        *,
        steps: int,
        seed: int,
        callbacks: Sequence[Any] = (),
    ) -> tuple[Any, int]:
        return classifier.trained(source, classical, steps, seed, callbacks)

    def scores(self, trained: Any, source: Source, corruption: str = "") -> tuple[float, ...]:
        return (classifier.accuracy(trained, source, CORRUPTIONS.get(corruption)),)

    def write(self, folder: Path, parts: Sequence[Part]) -> None:
        write_mixed(folder, parts)
