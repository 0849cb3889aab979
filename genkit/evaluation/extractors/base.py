"""What an extractor is: it turns the items of one modality into features."""

from __future__ import annotations

import abc
import hashlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genkit.plugins.schema import Field, Schema

if TYPE_CHECKING:
    import numpy as np


class Extractor(abc.ABC):
    """Turns items into features, the same on every backend but for rounding.

    A subclass defines ``features``; ``probabilities`` if it names ``classes``; ``view`` if it names
    the ``space`` in which copies are told. What it can't take it refuses in ``__init__``, with a
    ``DataError``.

    Args:
        schema: what the data is.
        field: name of the field that the items belong to.
        assets: arrays by name that came with the data: vocabularies, the tables of a codec.

    Attributes:
        field: what the items are.
        digest: SHA-256 of all that decides its numbers, in hexadecimal digits; of the file that
            defines the class unless the class says otherwise, as it must where there are weights.

    Example:
        class Loudness(genkit.Extractor):
            def features(self, items):
                means = [[np.mean(np.square(item)), np.max(np.abs(item))] for item in items]
                return np.array(means, np.float32)
    """

    name: str = ""
    """As its record calls it, which sets it when it is opened."""

    costly: bool = True
    """Whether features take longer to make than to read from a file: those of real items are kept.
    """

    resize: str = ""
    """In words, how items become a network's input; empty where nothing is resized."""

    classes: tuple[str, ...] = ()
    """Names of the classes that ``probabilities`` knows; empty if it knows none."""

    space: str = ""
    """What ``view`` shows, in a few words, for cards; empty if it has no view."""

    digest: str = ""

    def __init__(
        self, schema: Schema, field: str, assets: Mapping[str, np.ndarray] | None = None
    ) -> None:
        self.schema = schema
        self.field: Field = schema[field]
        self.assets: Mapping[str, np.ndarray] = assets or {}
        if not self.digest:
            source = Path(inspect.getfile(type(self))).read_bytes()
            self.digest = hashlib.sha256(source).hexdigest()

    @property
    def width(self) -> int | None:
        """How many numbers a feature has, where that is known before there are any."""
        return None

    @abc.abstractmethod
    def features(self, items: Any) -> np.ndarray:
        """Return float32 features of shape ``(n, dim)``, each of its item alone.

        Args:
            items: shape ``(n, ...)`` in the schema's range; where they vary in length a list of
                arrays, each cut to its own.
        """

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Return float32 class probabilities of shape ``(n, len(classes))``.

        Args:
            features: what ``features`` gave.
        """
        raise NotImplementedError(f"The extractor {self.name} knows no classes.")

    def view(self, items: Any) -> np.ndarray:
        """Return items as bytes in which copies are told: uint8 of shape ``(n, width)``.

        Items that people can't tell apart have the same bytes, and those that are alike are near
        to each other, for distances to the training data are taken here.

        Args:
            items: as for ``features``.
        """
        raise NotImplementedError(f"The extractor {self.name} has no view.")

    def card(self) -> dict[str, str]:
        """Return what a figure's card says about it."""
        card = {"extractor": self.name, "extractor_hash": self.digest}
        return {**card, "resize": self.resize} if self.resize else card
