"""Features that a trained network makes."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from genkit.evaluation.extractors.images import ImageExtractor
from genkit.evaluation.extractors.resizing import network_input

if TYPE_CHECKING:
    from genkit.models.model import Model
    from genkit.plugins.schema import Schema


class NetworkExtractor(ImageExtractor):
    """Base of extractors whose features are a layer of a network, and whose classes its output.

    The network is a ``genkit.Model`` with the methods ``features``, from images from 0 to 255, and
    ``probabilities``, from features.
    """

    side: ClassVar[int]
    channels: ClassVar[int]

    def __init__(
        self, schema: Schema, field: str, assets: Mapping[str, np.ndarray] | None = None
    ) -> None:
        super().__init__(schema, field, assets)
        self._to_input = network_input(self.field, self.side, self.channels, self.name)
        self._network = self.open_network()

    @abc.abstractmethod
    def open_network(self) -> Model:
        """Build the network with its weights, and set ``digest``.

        Raises:
            DataError: the weights can't be had, or aren't the ones expected.
        """

    def features(self, items: np.ndarray) -> np.ndarray:
        return self._network.map_items("features", items=self._to_input(items))

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        return self._network.map_items("probabilities", features=features)
