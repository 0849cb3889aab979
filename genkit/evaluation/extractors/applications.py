"""Features of networks trained on ImageNet, from Keras' applications; downloaded on use.

- ``mobilenet``: Howard et al. 2019, "Searching for MobileNetV3", arXiv:1905.02244, the large one.
- ``inception``: Szegedy et al. 2016, "Rethinking the Inception Architecture for Computer Vision",
  arXiv:1512.00567. These are Keras' weights; the ones of Heusel et al. 2017 are others, so that an
  FID made here can't be compared with one from a paper. Its card tells them apart.
"""

from __future__ import annotations

import abc
import hashlib
from pathlib import Path
from typing import Any, ClassVar

import keras

from genkit.data.downloads import download
from genkit.errors import DataError
from genkit.evaluation.extractors.network import NetworkExtractor
from genkit.files import reason_of
from genkit.models.model import Model

BASE_URL = "https://storage.googleapis.com/tensorflow/keras-applications/"
_HINT = "Without a connection, put the file into {folder}, or choose another --extractor."


class Application(Model):
    """A classifier of Keras, parted at its global pooling.

    Args:
        classifier: from images, -1 to 1, to probabilities.
    """

    def __init__(self, classifier: Any) -> None:
        super().__init__()
        pooled = next(
            layer
            for layer in reversed(classifier.layers)
            if isinstance(layer, keras.layers.GlobalAveragePooling2D)
        ).output
        self._pooled_shape = tuple(pooled.shape[1:])
        self.trunk = keras.Model(classifier.input, pooled)
        self.head = keras.Model(pooled, classifier.output)

    def features(self, items: Any) -> Any:
        """Map images, from 0 to 255, to what is pooled: ``(batch, dim)``."""
        pooled = self.trunk(items / 127.5 - 1, training=False)
        return keras.ops.reshape(pooled, (-1, self._pooled_shape[-1]))

    def probabilities(self, features: Any) -> Any:
        """Map features to the probability of each of the 1,000 classes."""
        pooled = keras.ops.reshape(features, (-1, *self._pooled_shape))
        return self.head(pooled, training=False)


class ApplicationExtractor(NetworkExtractor):
    """Features of a network of Keras' applications; its classes are ImageNet's, by number."""

    channels = 3
    classes = tuple(str(number) for number in range(1000))
    base_url: ClassVar[str] = BASE_URL
    file: ClassVar[str]
    md5: ClassVar[str]
    """As Keras' source states it; the card has the SHA-256 of what was downloaded."""

    @abc.abstractmethod
    def build(self) -> Any:
        """Build the classifier, without its weights."""

    def open_network(self) -> Model:
        folder = download(self.base_url, {self.file: self.md5}, "extractors", _HINT)
        file = folder / self.file
        self.digest = hashlib.sha256(file.read_bytes()).hexdigest()
        classifier = self.build()
        _load(classifier, file)
        return Application(classifier)


class MobileNet(ApplicationExtractor):
    """MobileNetV3-Large: 960 features, 22 MB."""

    name = "mobilenet"
    side = 224
    resize = "8 bits, gray as three channels, bilinear with antialiasing to 224x224"
    base_url = BASE_URL + "mobilenet_v3/"
    file = "weights_mobilenet_v3_large_224_1.0_float.h5"
    md5 = "59e551e166be033d707958cf9e29a6a7"

    def build(self) -> Any:
        return keras.applications.MobileNetV3Large(
            (self.side, self.side, 3), weights=None, include_preprocessing=False
        )


class Inception(ApplicationExtractor):
    """InceptionV3: 2,048 features, 96 MB."""

    name = "inception"
    side = 299
    resize = "8 bits, gray as three channels, bilinear with antialiasing to 299x299"
    base_url = BASE_URL + "inception_v3/"
    file = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
    md5 = "9a0d58056eeedaa3f26cb7ebd46da564"

    def build(self) -> Any:
        return keras.applications.InceptionV3(weights=None)


def _load(classifier: Any, file: Path) -> None:
    """Load weights whose digest was checked; nothing in an HDF5 file of weights is executed."""
    try:
        classifier.load_weights(file)
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise DataError(
            f"Expected weights of {classifier.name} in {file}; {reason_of(error)}",
            "Install another version of Keras, or choose another --extractor.",
        ) from error
