"""Train the classifiers that come with GenKit, and write their weights.

    python -m genkit.evaluation.extractors.train mnist-classifier

It prints the test accuracy and the SHA-256 that ``classifier.py`` must state. Another machine or
backend finds weights that are as good, with other bits.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from genkit.plan.activation import activate

activate()

import keras  # noqa: E402 - after the backend was chosen
from safetensors.numpy import save as serialize  # noqa: E402

from genkit.data import Source  # noqa: E402
from genkit.engine.state import ModelState  # noqa: E402
from genkit.evaluation.extractors.classifier import Classifier  # noqa: E402
from genkit.files import write_bytes  # noqa: E402
from genkit.plugins.registry import installed  # noqa: E402
from genkit.runs.inputs import open_entry  # noqa: E402

DATASETS = {"mnist-classifier": "mnist", "fashion-classifier": "fashion-mnist"}
EPOCHS, BATCH, SEED = 8, 128, 0


class TrainedClassifier(Classifier):
    """The classifier with its optimizer: Adam, the rate falling to zero along a cosine.

    Args:
        steps: how long training will be.
    """

    def __init__(self, steps: int) -> None:
        super().__init__()
        rate = keras.optimizers.schedules.CosineDecay(2e-3, steps)
        self.add_optimizer("classifier", keras.optimizers.Adam(rate), self.network, self.head)

    def training_step(self, batch: Any, minimize: Any) -> dict[str, Any]:
        """Descend the cross-entropy."""
        return {"loss": minimize("classifier", self.cross_entropy, batch)[0]}

    def cross_entropy(self, batch: dict[str, Any]) -> Any:
        """Return the mean cross-entropy of a batch, in nats."""
        images = keras.ops.cast(batch["image"], "float32")
        logits = self.head(self.network(images, training=True))
        wrong = keras.losses.sparse_categorical_crossentropy
        return keras.ops.mean(wrong(batch["label"], logits, from_logits=True))


def train_classifier(name: str, epochs: int = EPOCHS) -> tuple[Classifier, float]:
    """Train a classifier.

    Args:
        name: of the extractor.
        epochs: passes over the training images.

    Returns:
        the classifier, its weights rounded to what the file holds; and the share of the test
        images that it names right.
    """
    data, test = (_open(DATASETS[name], split) for split in ("train", "test"))
    keras.utils.set_random_seed(SEED)
    model = TrainedClassifier(epochs * (len(data) // BATCH))
    model.fit(data, epochs=epochs, batch_size=BATCH, seed=SEED)
    state = ModelState(model)
    state.load_weights({key: array.astype(np.float32) for key, array in rounded(model).items()})
    items = test.gather(np.arange(len(test)))
    features = model.map_items("features", items=items["image"].astype(np.float32))
    named = model.map_items("probabilities", features=features).argmax(axis=1)
    return model, float(np.mean(named == items["label"]))


def rounded(model: Classifier) -> dict[str, np.ndarray]:
    """Return the weights in 16 bits: half the size, and no test image named otherwise."""
    return {key: array.astype(np.float16) for key, array in ModelState(model).read()[0].items()}


def _open(dataset: str, split: str) -> Source:
    return open_entry(installed().find("datasets", dataset), {"split": split})


def main() -> None:
    """Train the classifier that the command line names, and write its weights."""
    parser = argparse.ArgumentParser(prog="python -m genkit.evaluation.extractors.train")
    parser.add_argument("name", choices=DATASETS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "weights")
    options = parser.parse_args()
    model, accuracy = train_classifier(options.name)
    content = serialize(rounded(model))
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"{options.name}.safetensors"
    write_bytes(file, content)
    digest = hashlib.sha256(content).hexdigest()
    print(f"{file}: test accuracy {accuracy:.4f}, SHA-256 {digest}")  # noqa: T201


if __name__ == "__main__":
    main()
