"""What an extractor is, and the table of those that GenKit has."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar

from genkit.errors import UsageError
from genkit.plugins.names import suggestion
from genkit.plugins.specs import resolve

if TYPE_CHECKING:
    import numpy as np

    from genkit.plugins.specs import Field

EXTRACTORS = {
    "mnist-classifier": "genkit.evaluation.extractors.classifier:MnistClassifier",
    "fashion-classifier": "genkit.evaluation.extractors.classifier:FashionClassifier",
    "mobilenet": "genkit.evaluation.extractors.applications:MobileNet",
    "inception": "genkit.evaluation.extractors.applications:Inception",
    "pixels": "genkit.evaluation.extractors.pixels:Pixels",
}
"""Reference to the ``Extractor`` subclass of each name."""


class Extractor(abc.ABC):
    """Turns images into features, the same on every backend but for rounding.

    Args:
        image: what the images are: shape ``(height, width, channels)`` and range.

    Attributes:
        name: as ``--extractor`` takes it.
        costly: whether features take longer to make than to read from a file.
        digest: SHA-256 of all that decides its numbers: weights and arithmetic.
        resize: in words, how images become the network's input.
        classes: names of the classes that ``probabilities`` knows; empty if it knows none.
    """

    name: ClassVar[str]
    costly: ClassVar[bool] = True
    digest: str
    resize: str
    classes: tuple[str, ...] = ()

    def __init__(self, image: Field) -> None:
        self.image = image

    @abc.abstractmethod
    def features(self, items: np.ndarray) -> np.ndarray:
        """Return float32 features of shape ``(n, dim)``.

        Args:
            items: shape ``(n, height, width, channels)`` in the schema's range.
        """

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return float32 class probabilities of shape ``(n, len(classes))``.

        Args:
            features: what ``features`` gave.
        """
        raise NotImplementedError(f"The extractor {self.name} knows no classes.")

    def card(self) -> dict[str, str]:
        """Return what a figure's card says about it."""
        return {"extractor": self.name, "extractor_hash": self.digest, "resize": self.resize}


def open_extractor(name: str, image: Field) -> Extractor:
    """Open an extractor by name.

    Raises:
        UsageError: no extractor has that name, or it doesn't take such images.
        DataError: its weights can't be had.
    """
    if name not in EXTRACTORS:
        raise UsageError(
            f"Expected an extractor; received {name!r}.",
            suggestion(name, EXTRACTORS) or f"There are: {', '.join(EXTRACTORS)}.",
        )
    extractor: Extractor = resolve(EXTRACTORS[name])(image)
    return extractor
