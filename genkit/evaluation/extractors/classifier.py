"""Features of two small classifiers that come with GenKit: what digits and clothes are told by."""

from __future__ import annotations

import hashlib
from importlib.resources import as_file, files
from typing import Any

import keras
from keras import layers

from genkit.data.memory import bounded_weights, machine_holds
from genkit.engine.state import ModelState
from genkit.errors import DataError
from genkit.evaluation.extractors.network import NetworkExtractor
from genkit.layers import BatchNormalization, Conv2D
from genkit.models.model import Model
from genkit.runs.checkpoint_files import load_arrays

SIDE, WIDTH, CLASSES = 28, 128, 10


class Classifier(Model):
    """Three convolutions and two dense layers: gray images of 28x28 pixels to ten classes.

    Some 160,000 weights; ``genkit.evaluation.extractors.train`` finds them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = keras.Sequential(
            [
                keras.Input((SIDE, SIDE, 1)),
                layers.Rescaling(1 / 255),
                *_stage(24),
                *_stage(48),
                *_stage(96),
                layers.Flatten(),
                layers.Dropout(0.4),
                layers.Dense(WIDTH, activation="relu"),
            ]
        )
        self.head = layers.Dense(CLASSES)
        self.head.build(self.network.output_shape)

    def features(self, items: Any) -> Any:
        """Map images, from 0 to 255, to what the last layer sees: ``(batch, 128)``."""
        return self.network(items, training=False)

    def probabilities(self, features: Any) -> Any:
        """Map features to the probability of each class: ``(batch, 10)``."""
        return keras.ops.softmax(self.head(features))


def _stage(filters: int) -> list[Any]:
    """Halve the sides, and look for more kinds of shapes."""
    return [
        Conv2D(filters, 3, padding="same", use_bias=False),
        BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(2),
    ]


class ClassifierExtractor(NetworkExtractor):
    """Features of a classifier whose weights come with GenKit."""

    side, channels = SIDE, 1
    resize = "8 bits, mean of the channels, bilinear with antialiasing to 28x28"

    def open_network(self) -> Model:
        with bounded_weights(machine_holds(), blank=True):
            model = Classifier()
        with as_file(files(__package__) / "weights" / f"{self.name}.safetensors") as file:
            if not file.is_file() or hashlib.sha256(file.read_bytes()).hexdigest() != self.digest:
                raise DataError(
                    f"Expected the weights of {self.name} inside the genkit package; "
                    f"{file.name} is missing or damaged.",
                    "Install genkit-keras again.",
                )
            load_arrays(file, ModelState(model))
        return model


class MnistClassifier(ClassifierExtractor):
    """Trained on the 60,000 training images of MNIST; names 99.5 % of the test images right."""

    name = "mnist-classifier"
    digest = "26c45f57567b13ae81ad47e09d59ed7fd2a857746b39196d725e85d66550e520"
    classes = tuple(str(digit) for digit in range(CLASSES))


class FashionClassifier(ClassifierExtractor):
    """Trained on the 60,000 training images of Fashion-MNIST; 92.6 % right of the test images."""

    name = "fashion-classifier"
    digest = "5a786c92dd3c4668b1d6a7b5e18e48baea28d86665851207c2b9ce6989d1ea21"
    classes = (
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    )
